package fairness

import "embed"

// Published is The Markup's data in testdata, which SOURCE.md describes: three gzipped
// files of offers and table1_disparities_by_city.csv, the shares they must give.
//
//go:embed testdata
var Published embed.FS

// InternetOffers is the question of its table 1: who is offered slow internet.
func InternetOffers() Question {
	return Question{
		Outcome: Outcome{"speed_down", "<", 25}, Cluster: "block_group", Price: "price",
		Pairs: []Pair{
			{"income_level", []string{"Low"}, []string{"Upper Income"}},
			{"race_quantile", []string{"least white"}, []string{"most white"}},
			{"redlining_grade", []string{"D"}, []string{"A", "B"}},
		},
	}
}
