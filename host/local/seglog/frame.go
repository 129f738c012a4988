package seglog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	headerMagic = 0x314c5348 // "HSL1"
	headerSize  = 32
	frameHead   = 9 // length, CRC, type
	batchHead   = frameHead + 12
	typeBatch   = 1
	maxBody     = 1 << 28
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header starts a segment.
type header struct {
	segment uint64
	first   uint64 // number of the segment's first record
	prevEnd uint64 // where the frames of the segment before end
}

func (h header) encode() []byte {
	b := make([]byte, headerSize)
	binary.LittleEndian.PutUint32(b, headerMagic)
	binary.LittleEndian.PutUint64(b[8:], h.segment)
	binary.LittleEndian.PutUint64(b[16:], h.first)
	binary.LittleEndian.PutUint64(b[24:], h.prevEnd)
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	return b
}

func decodeHeader(b []byte) (header, bool) {
	if len(b) < headerSize || binary.LittleEndian.Uint32(b) != headerMagic ||
		binary.LittleEndian.Uint32(b[4:]) != crc32.Checksum(b[8:headerSize], castagnoli) {
		return header{}, false
	}
	return header{
		segment: binary.LittleEndian.Uint64(b[8:]), first: binary.LittleEndian.Uint64(b[16:]),
		prevEnd: binary.LittleEndian.Uint64(b[24:]),
	}, true
}

// A batch frame's body is: number of the first record, count, and each record
// after its length. startBatch leaves room for what sealBatch fills in.
func startBatch(buf []byte) []byte { return append(buf[:0], make([]byte, batchHead)...) }

func addRecord(buf, record []byte) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(record)))
	return append(buf, record...)
}

func sealBatch(buf []byte, segment, offset, first uint64, count uint32) {
	binary.LittleEndian.PutUint32(buf, uint32(len(buf)-frameHead))
	buf[8] = typeBatch
	binary.LittleEndian.PutUint64(buf[9:], first)
	binary.LittleEndian.PutUint32(buf[17:], count)
	binary.LittleEndian.PutUint32(buf[4:], frameCRC(buf, segment, offset))
}

// frameCRC covers where the frame lies, its length, type and body.
func frameCRC(frame []byte, segment, offset uint64) uint32 {
	var place [20]byte
	binary.LittleEndian.PutUint64(place[:], segment)
	binary.LittleEndian.PutUint64(place[8:], offset)
	copy(place[16:], frame[:4])
	return crc32.Update(crc32.Checksum(place[:], castagnoli), castagnoli, frame[8:])
}

// frameLength reads how long the frame at the start of b is, head included; ok
// is false if no frame can be that long.
func frameLength(b []byte) (int64, bool) {
	if len(b) < frameHead {
		return 0, false
	}
	n := binary.LittleEndian.Uint32(b)
	return int64(n) + frameHead, n >= batchHead-frameHead && n <= maxBody
}

// validFrame checks a whole frame where it lies.
func validFrame(frame []byte, segment, offset uint64) bool {
	return frame[8] == typeBatch && binary.LittleEndian.Uint32(frame[4:]) == frameCRC(frame, segment, offset)
}

// records calls each for the records of a valid batch frame.
func records(frame []byte, each func(n uint64, index uint32, record []byte) error) error {
	first, count := binary.LittleEndian.Uint64(frame[9:]), binary.LittleEndian.Uint32(frame[17:])
	rest := frame[batchHead:]
	for i := range count {
		size, w := binary.Uvarint(rest)
		if w <= 0 || size > uint64(len(rest)-w) {
			return fmt.Errorf("record %d of %d does not fit its frame", i, count)
		}
		if err := each(first+uint64(i), i, rest[w:w+int(size)]); err != nil {
			return err
		}
		rest = rest[w+int(size):]
	}
	if len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the last record of a frame", len(rest))
	}
	return nil
}

// numbers gives a valid frame's first record number and how many it has.
func numbers(frame []byte) (first, count uint64) {
	return binary.LittleEndian.Uint64(frame[9:]), uint64(binary.LittleEndian.Uint32(frame[17:]))
}
