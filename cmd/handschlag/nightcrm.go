package main

import (
	"context"
	"errors"

	"github.com/handschlag/handschlag/consent"
)

// crmAllowed refuses to join the CRM anywhere but beside the folder that knows which
// account has which pseudonym. The night of an account on AWS cannot know that: its role
// does not unwrap the key of that table.
func (c nightlyCmd) crmAllowed() error {
	switch {
	case c.CRM == "":
		return nil
	case c.Host != "local":
		return errors.New("--crm: customers are joined on your own ground, with --host local; the night of an account on AWS cannot and may not know who they are")
	case c.Range != "" || c.SnapshotOnly != "":
		return errors.New("--crm: customers are joined when the night publishes: give it with --merge, or to a night in one piece")
	}
	return nil
}

// accounts gives the pseudonyms of those customer numbers that have one: the owner's
// question about the owner's own ids, by the same keyed lookup as any call. It makes and
// stores nothing.
func (n folderNight) accounts(ctx context.Context, numbers []string) (map[string]consent.Subject, error) {
	var a names
	if err := n.shop.call(ctx, "POST", "/admin/names", namesCall{Accounts: numbers}, &a); err != nil {
		return nil, err
	}
	out := make(map[string]consent.Subject, len(a.Subjects))
	for text, number := range a.Subjects {
		who, err := consent.ParseSubject(text)
		if err != nil {
			return nil, err
		}
		out[number] = who
	}
	return out, nil
}
