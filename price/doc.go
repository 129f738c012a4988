// Package price owns quotes, price claims, price histories and the lowest price
// of the last 30 days (Art. 6a Dir. 98/6/EC, §11 PAngV). It imports none of our
// packages: a price cannot see a person. Money is integer cents.
package price
