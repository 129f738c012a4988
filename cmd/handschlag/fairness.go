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
	Lang    string   `enum:"de,en" default:"en" help:"Language: de or en."`
	JSON    bool     `help:"Print everything as JSON."`
}

// question is what the flags ask.
func (c auditFairnessCmd) question() (q fairness.Question, err error) {
	if c.Outcome == "" && len(c.Compare) == 0 {
		return fairness.InternetOffers(), nil
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
	if err := s.fairness(a, c.Lang, c.JSON); err != nil {
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

func (s streams) fairness(a fairness.Answer, lang string, whole bool) error {
	if whole {
		return printJSON(s, a)
	}
	s.printf(pick(lang, "%d offers; outcome: %s\n", "%d Angebote; schlechter ist: %s\n"), a.Rows, a.Outcome)
	if len(a.Prices) > 0 {
		s.printf("%s\n", costs(a, lang))
	}
	how := pick(lang, "intervals: Newcombe's hybrid score, rows taken as independent", "Intervalle: Newcombe, Zeilen gelten als unabhängig")
	for _, c := range a.Comparisons {
		s.printf("%s\n", compared(c, lang))
		if c.Clusters > 0 {
			how = pick(lang, "intervals: rows of one cluster vary together", "Intervalle: Zeilen einer Gruppe schwanken gemeinsam")
		}
	}
	s.printf(pick(lang, "%s. A difference is not yet its cause.\n", "%s. Ein Unterschied ist noch nicht seine Ursache.\n"), how)
	return nil
}

// costs says whether all offers cost the same.
func costs(a fairness.Answer, lang string) string {
	most := slices.MaxFunc(slices.Sorted(maps.Keys(a.Prices)), func(x, y string) int { return int(a.Prices[x] - a.Prices[y]) })
	if len(a.Prices) == 1 {
		return pick(lang, "all offers cost ", "alle Angebote kosten ") + most
	}
	return fmt.Sprintf(pick(lang, "%d different prices; %.2f %% cost %s", "%d verschiedene Preise; %.2f %% kosten %s"), len(a.Prices), 100*float64(a.Prices[most])/float64(a.Rows), most)
}

// verdictsDE are the German of the verdicts.
var verdictsDE = map[string]string{
	fairness.Disparity: "Ungleichheit", fairness.NoDisparity: "keine Ungleichheit gefunden", fairness.TooFew: "zu wenige für ein Urteil",
}

func compared(c fairness.Comparison, lang string) string {
	if lang != "de" {
		return c.String()
	}
	return fmt.Sprintf("%s: %s %.4f (von %d), %s %.4f (von %d); Unterschied %+.4f, 95-%%-Intervall %+.4f bis %+.4f: %s",
		c.Column, c.Worse.Group, c.Worse.Share, c.Worse.N, c.Better.Group, c.Better.Share, c.Better.N, c.Difference, c.Low, c.High, verdictsDE[c.Verdict])
}
