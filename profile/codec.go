package profile

import "errors"

var errUnbuilt = errors.New("not built yet")

// MarshalBinary gives the compact stored form.
func (p Profile) MarshalBinary() ([]byte, error) { return nil, errUnbuilt }

// UnmarshalBinary reads what MarshalBinary wrote.
func (p *Profile) UnmarshalBinary(b []byte) error { return errUnbuilt }
