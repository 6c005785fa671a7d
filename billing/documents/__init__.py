"""Documents as files that people read: what is said stands in `billing.invoicing.content`."""
