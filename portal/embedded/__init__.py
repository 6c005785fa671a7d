"""PostgreSQL and Valkey from installed packages, for the demo, the tests and the bench.

Nothing in here imports the rest of Trunkline or Django: these modules run before the
settings are read, because they decide which servers the settings find.
"""
