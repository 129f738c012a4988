package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/handschlag/handschlag/fairness"
)

type auditFairnessCmd struct {
	File    string   `arg:"" help:"CSV of real offers with a header, plain or gzip; - for standard input."`
	Outcome string   `placeholder:"speed_down<25" help:"What is worse to get: a numeric column, one of < <= > >= =, and a number."`
	Compare []string `sep:"none" placeholder:"COLUMN:A/B" help:"Groups to compare, several values of a side joined with |; repeat it. Without any: the questions of The Markup's study of internet offers."`
	Cluster string   `help:"Column whose equal values belong together (a street, a session); none: rows are independent."`
	Price   string   `help:"Column with the price, to say whether all paid the same."`
	Fail    bool     `help:"Exit with 1 if a disparity is found."`
	JSON    bool     `help:"Print everything as JSON."`
}

// theMarkup is table 1 of "How We Uncovered Disparities in Internet Deals".
var theMarkup = auditFairnessCmd{
	Outcome: "speed_down<25", Compare: []string{"income_level:Low/Upper Income", "race_quantile:least white/most white", "redlining_grade:D/A|B"},
	Cluster: "block_group", Price: "price",
}

// question is what the flags ask.
func (c auditFairnessCmd) question() (q fairness.Question, err error) {
	if c.Outcome == "" && len(c.Compare) == 0 {
		c = theMarkup
	}
	q = fairness.Question{Cluster: c.Cluster, Price: c.Price}
	if q.Outcome, err = fairness.ParseOutcome(c.Outcome); err != nil {
		return q, fmt.Errorf("--outcome: %w", err)
	}
	if len(c.Compare) == 0 {
		return q, errors.New("--compare is missing: which groups, such as income_level:Low/Upper Income")
	}
	for _, text := range c.Compare {
		p, err := fairness.ParsePair(text)
		if err != nil {
			return q, fmt.Errorf("--compare: %w", err)
		}
		q.Pairs = append(q.Pairs, p)
	}
	return q, nil
}

// Run compares what groups were offered.
func (c auditFairnessCmd) Run(s streams) error {
	q, err := c.question()
	if err != nil {
		return err
	}
	var a fairness.Answer
	err = read(c.File, s, func(r io.Reader, _ string) (err error) {
		if a, err = auditOffers(r, q); err != nil {
			return named(c.File, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.fairness(a, c.JSON); err != nil {
		return err
	}
	if c.Fail && a.Unfair() {
		return errors.New("a disparity was found")
	}
	return nil
}

// auditOffers reads plain or gzipped CSV.
func auditOffers(r io.Reader, q fairness.Question) (fairness.Answer, error) {
	in := bufio.NewReader(r)
	if head, _ := in.Peek(2); len(head) < 2 || head[0] != 0x1f || head[1] != 0x8b {
		return fairness.Audit(in, q)
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return fairness.Answer{}, fmt.Errorf("unpacking: %w", err)
	}
	return fairness.Audit(z, q)
}

func (s streams) fairness(a fairness.Answer, whole bool) error {
	if whole {
		return printJSON(s, a)
	}
	s.printf("%d offers; outcome: %s\n", a.Rows, a.Outcome)
	if len(a.Prices) > 0 {
		most := slices.MaxFunc(slices.Sorted(maps.Keys(a.Prices)), func(x, y string) int { return int(a.Prices[x] - a.Prices[y]) })
		s.printf("prices: %d different; %.2f %% of the offers cost %s\n", len(a.Prices), 100*float64(a.Prices[most])/float64(a.Rows), most)
	}
	how := "intervals: Newcombe's hybrid score, rows taken as independent"
	for _, c := range a.Comparisons {
		s.printf("%s\n", c)
		if c.Clusters > 0 {
			how = "intervals: rows of one cluster vary together"
		}
	}
	s.printf("%s. A difference is not yet its cause.\n", how)
	return nil
}
