# The verbs of every day. Each forwards to what also works without make.

.PHONY: run test lint fix bench messages lock

run: ## the demo, at http://127.0.0.1:8000
	python3 manage.py demo

test: ## everything, browser tests included
	python3 manage.py test

lint: ## what CI checks before it tests
	.ci/lint

fix: ## let the tools mend what they can
	.ci/lint fix

bench: ## the figures of docs/performance.md, on this machine
	python3 manage.py bench

messages: ## bring the translations in line with the texts of the code
	python3 manage.py messages

# Names, versions and hashes only: an address would tie everybody to one registry.
LOCK = uv pip compile pyproject.toml --python-version 3.11 --quiet \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header

lock: ## make the pins anew from pyproject.toml; UPGRADE=--upgrade takes newer ones
	$(LOCK) $(UPGRADE) --output-file requirements/base.txt
	$(LOCK) --extra demo --constraints requirements/base.txt --output-file requirements/demo.txt
	$(LOCK) --extra demo --extra dev --constraints requirements/base.txt --output-file requirements/dev.txt
	! grep -n '://' requirements/*.txt
