"""Electronic invoices of EN 16931, as UBL 2.1 and as CII, from one rounded record."""
