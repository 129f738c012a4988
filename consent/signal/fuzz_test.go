package signal

import (
	"maps"
	"slices"
	"testing"

	"github.com/handschlag/handschlag/consent"
)

// FuzzTC: no panic, and never another word than the second decoder's: so never a
// yes from a string that does not decode, does not count, or lacks the bits.
func FuzzTC(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s, 28)
		f.Add(s, 0)
	}
	f.Fuzz(func(t *testing.T, s string, vendor int) {
		same(t, TCFPurposes(s, vendor, noon), strictWords(s, vendor, noon))
		sameFields(t, s)
	})
}

// FuzzGPP is FuzzTC for the strings that wrap a TC string.
func FuzzGPP(f *testing.F) {
	for _, v := range lines[struct {
		String string `json:"gpp_string"`
	}](f, "gpp_headers.jsonl") {
		f.Add(v.String, 28)
	}
	for _, s := range seeds(f) {
		f.Add("DBABMA~"+s, 28)
		f.Add("DBABM~"+s, 0)
		f.Add("DBACNYA~"+s+"~1YNN", 28)
	}
	f.Fuzz(func(t *testing.T, s string, vendor int) {
		same(t, GPPPurposes(s, vendor, noon), strictGPPWords(s, vendor, noon))
		got, err := ParseGPP(s)
		want, strictErr := strictSections(s)
		if (err == nil) != (strictErr == nil) || err == nil && !maps.Equal(got, want) {
			t.Fatalf("sections %v, %v; the second decoder reads %v, %v", got, err, want, strictErr)
		}
	})
}

// seeds are the strings that fuzzing begins with: all vectors, those of law.md,
// and shapes that crashed other decoders (hardening.md 15).
func seeds(t testing.TB) []string {
	out := []string{
		// Strings on which other decoders failed, from iabtcf-java#2 and #139, iabtcf-es#112 and #113.
		"COrAPwwOrAPwwCnABAENAECAAP_AAAAAAAAAFXQCgAJQAYAA1ACCAGIAQIAmQBrgDggK8Ar4BpgDfgH2AQIAmSBSAFIgKZAVIAqwBVwAAAAA.IAAA.QAAA.YAAAAAAAAA",
		"CPJp_W2PJp_W2EyAGADEBjCgAP_AAH_AAAYgHnNf_X__bX9j-_59f_t0eY1P9_r_v-Qzjhfds-8N2L_W_L0X42E7NF36pq4KuR4Eu3LBIQFlHMHUTUmw6okVrTPsak2Mr7NKJ7LEmnMZO2dYGHtfn91TuZKYr_78_9fz3z-v_v__79f3r-3_3_v59X---_e_V399zLv9cC84A4ACgAQAA0ACKAEwALYC8wCQkBAABYAFQAMgAcABEADIAHgARAAngBVAGGAP0BIgXJJmT3MvrwBQAmABcAOqAkQBk4iAIAEwA6oCRAGTioAgATAAuAKbAXmMgBABMAXmOgLAALAAqABkADgAIgAZAA8AB8AEQAJ4AVQAuABfADEAJgAYYA_QCLAJEAZIAycBlxCAUAAsADIAIgAmABVAC4AF8AMQCRAGTkoBgACwAMgAcABEADwAIgAVQAuABfADEAkQBk5SAmAAsACoAGQAOAAiABkADwAIgATwApABVAC-AGIAfoBFgEiAMkAZOAy4.YAAAAAAADwAAAGYAAAAA",
		"COwWHt-OwWHt-DNACOENAXCAANDAAEkAAAAAFpQBQABAAGgAQABIBXgFpAK_ABAK-ACCAAwAIAAk",
		"COutSEYOutSEYDNAFAENATDAAKlAAKlAAAhoAAAAAABggAMAAgAICQAYADAASHAAgAHAAA",
		v1, v1core, v4, v5, v6, v7, v8, v9, v10, v11a, v11b, v12, "",
		tcWithRange(1, 20, 20), tcWithRange(12, 11, 20), tcWithRange(0, 0, 0), tcWithRange(1, 1<<16-1, 1<<16-1),
		core().int(1<<16-1, 16).int(0, 1).string(),                                             // a bit field that is not there
		core().int(30, 16).int(0, 1).int(1<<30-1, 30).int(0, 17).int(1<<12-1, 12).string(),     // restrictions that are not there
		core().int(0, 17).int(0, 17).int(1, 12).int(3, 6).int(0, 2).int(1<<12-1, 12).string(),  // their ranges that are not there
		v1core + "." + (&writer{}).int(3, 3).int(1<<24-1, 24).int(0, 24).int(63, 6).string(),   // custom purposes that are not there
		v1core + "." + (&writer{}).int(3, 3).int(1, 48).int(3, 6).int(5, 3).int(2, 3).string(), // and that are
		v1core + "." + (&writer{}).int(1, 3).int(9, 16).int(1, 1).int(1<<12-1, 12).string(),    // disclosed vendors that are not there
		core().int(30, 16).int(0, 1).int(1<<30-1, 30).int(0, 17).int(1, 12).int(3, 6).int(2, 2).int(1, 12).int(1, 1).int(20, 16).int(28, 16).string(),
	}
	for _, v := range slices.Concat(lines[tcfVector](t, "tcf_vectors.jsonl"), lines[tcfVector](t, "tcf_invalid.jsonl")) {
		out = append(out, v.String)
	}
	return out
}

func same(t *testing.T, got, want map[consent.Purpose]string) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Fatalf("says %v; by the second decoder %v", got, want)
	}
}

// sameFields compares what a string that decodes holds.
func sameFields(t *testing.T, s string) {
	t.Helper()
	got, err := ParseTC(s)
	want, strictErr := readStrictly(s)
	if (err == nil) != (strictErr == nil) {
		t.Fatalf("error %v; the second decoder's %v", err, strictErr)
	}
	if err != nil {
		return
	}
	if !got.Created.Equal(want.created) || !got.Updated.Equal(want.updated) ||
		got.Purposes != places(want.purposes) || got.LegInt|got.LegIntIgnored != places(want.interests) || got.LegInt&noLegInt != 0 {
		t.Fatalf("%+v; the second decoder reads %+v", got, want)
	}
	if (got.Disclosed != nil) != want.hasDisclosed || (got.Publisher != nil) != want.hasPublisher {
		t.Fatalf("segments of %+v; the second decoder reads %+v", got, want)
	}
	if p := got.Publisher; p != nil && (p.Purposes != places(want.publisher) || p.CustomPurposes != places(want.custom) || p.CustomLegInt != places(want.customInterests)) {
		t.Fatalf("publisher %+v; the second decoder reads %+v", *p, want)
	}
}

func places(set map[int]bool) (n Numbers) {
	for i := range set {
		n |= 1 << (i - 1)
	}
	return n
}

// TestSeedsAgreeWithTheSecondDecoder runs the fuzz laws on every cut and every
// changed character of the seeds, so that plain `go test` has them too.
func TestSeedsAgreeWithTheSecondDecoder(t *testing.T) {
	for _, s := range seeds(t) {
		for i := range min(len(s), 120) {
			for _, edited := range []string{s[:i], s[:i] + "A" + s[i+1:], s[:i] + "_" + s[i+1:], s[:i] + "." + s[i:], s[i:]} {
				for _, vendor := range []int{0, 28} {
					same(t, TCFPurposes(edited, vendor, noon), strictWords(edited, vendor, noon))
				}
				sameFields(t, edited)
			}
		}
	}
}
