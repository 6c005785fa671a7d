"""What an invoice says: made of ledger entries, frozen, and told to readers and machines."""
