package segment

// reportFiles are the published files as readers of the report see them: how many rows a
// recipient got is told as its segment's reach is, and how many came or went is not.
func (n *night) reportFiles() []ReportFile {
	out := make([]ReportFile, 0, len(n.manifest.Files))
	for _, f := range n.manifest.Files {
		shown := ReportFile{Name: f.Name, Kind: f.Kind, Segment: f.Segment, Channel: f.Channel, SHA256: f.SHA256, Label: f.Label}
		switch {
		case f.Kind == "segment":
			shown.Rows = n.rowsTold(f.Segment, f.Channel)
		case !f.holdsRows() || f.Kind == aggregates:
			shown.Rows = &f.Rows
		}
		out = append(out, shown)
	}
	return out
}

func (n *night) rowsTold(segment, channel string) *int64 {
	for _, s := range n.manifest.Segments {
		for _, c := range s.Channels {
			if s.Name == segment && c.Channel == channel {
				return c.Rows
			}
		}
	}
	return nil
}
