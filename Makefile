# Everything runs in an environment of its own, .venv, which the first command that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
THREADS ?= 2
export OMP_NUM_THREADS ?= $(THREADS)

MATH := gradients adagrad batching characters characters_laws crf decoding divergence elementwise \
    embedding encoding extremes instruction_set label_mmd linear lstm matmul mmd mmd_floor \
    mmd_gaussians objective parameter_transfer pieces projection viterbi workers
MATH_TESTS := $(MATH:%=tests/test_%.py)

# what is also run with every lesser instruction set: whole runs, and that they are the same again
LESSER_TESTS := $(MATH_TESTS) $(patsubst %,tests/test_%.py,kl_bound method_objective \
    promises_numerics tagging training training_laws)
LESSER := from ladtl_np.kernels.instruction_set import available; print(*available()[1:])

# test files are spread over so many processes
PROCESSES ?= 2
IN_PARTS := -p no:cacheprovider -n $(PROCESSES) --dist loadfile --benchmark-disable

.PHONY: demo audit test test-all fuzz mutants lint docs bench clean

demo: $(VENV)/.core
	rm -rf demo-run
	$(BIN)/ladtl data demo demo-run/corpus
	$(BIN)/ladtl train --demo --method non-transfer --out demo-run/non-transfer --threads $(THREADS)
	$(BIN)/ladtl train --demo --method la-dtl --out demo-run/la-dtl --threads $(THREADS)
	@echo; echo "F1 on the synthetic test set, trained on 10 % of the target:"
	$(BIN)/ladtl evaluate --model demo-run/non-transfer/best.safetensors \
	    --model demo-run/la-dtl/best.safetensors demo-run/corpus/gastroenterology/test.txt
	@echo; echo "The same text, tagged:"
	@cut -f 1 demo-run/corpus/gastroenterology/test.txt | awk 'BEGIN { ORS = "" } \
	    /^$$/ { print "\n"; if (++n == 4) exit } { print }' > demo-run/sample.txt
	$(BIN)/ladtl tag --model demo-run/la-dtl/best.safetensors demo-run/sample.txt --to terminal

# the trained demo model checked in every way: a page to read and a file to keep
audit: $(VENV)/.report
	test -f demo-run/la-dtl/best.safetensors || $(MAKE) demo
	$(BIN)/ladtl audit all demo-run/la-dtl --out demo-run/audit --overwrite

# the fast lane: on two cores nine minutes of tests and four of the book, compilation included
test: lint docs
	LADTL_BUILT_DOCS=$(CURDIR)/docs/_build/html $(BIN)/python -m pytest -m "not slow" $(IN_PARTS)

# everything: slow tests, and the mathematics without compilation, with checked array bounds and with
# lesser instruction sets than this processor's widest, which all else is compiled for
test-all: test mutants
	$(BIN)/python -m pytest -m slow $(IN_PARTS)
	$(BIN)/python tests/fuzz/run.py --seconds 30
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -p no:cacheprovider $(MATH_TESTS)
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=.numba-bounds \
	    $(BIN)/python -m pytest -p no:cacheprovider $(MATH_TESTS)
	for isa in $$($(BIN)/python -c "$(LESSER)"); do \
	    LADTL_ISA=$$isa $(BIN)/python -m pytest $(IN_PARTS) $(LESSER_TESTS) || exit 1; done

# errors planted one at a time: those of the list have to be noticed, survivors by rule argued
MUTANTS ?= 250
mutants: $(VENV)/.dev
	$(BIN)/python tests/planted_errors.py
	$(BIN)/python tests/mutation_lane.py --count $(MUTANTS)

# every parser for SECONDS; guided by coverage where atheris can be installed
SECONDS ?= 300
fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable ".[fuzz]" || true
	$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

# the book; its examples are run, and one that fails or warns ends the build; one page after the
# other, because two that start a kernel at once may be given one port
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -E -W -q -b html docs docs/_build/html

# about an hour on two cores; wants an otherwise idle machine
bench: $(VENV)/.bench
	mkdir -p .benchmarks
	$(BIN)/python -m pytest benchmarks/bench_*.py -q -p no:cacheprovider --benchmark-only \
	    --benchmark-columns=median,iqr,rounds --benchmark-json=.benchmarks/scaling.json
	$(BIN)/python benchmarks/plot_scaling.py .benchmarks/scaling.json docs/results
	$(BIN)/python benchmarks/peak_memory.py docs/results/memory.md
	$(BIN)/python benchmarks/scaling_threads.py docs/results/scaling_threads.md
	$(BIN)/python benchmarks/oversubscribed.py
	$(BIN)/ladtl bench --isa all --compiled --markdown docs/results/benchmarks.md --overwrite

clean:
	rm -rf $(VENV) demo-run docs/_build .numba-bounds fuzz-crashes

$(VENV)/.core: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@ $(VENV)/.core

$(VENV)/.report: pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[report]"
	touch $@ $(VENV)/.core

# without PyTorch there is no peer to compare with, and everything else is measured
$(VENV)/.bench: pyproject.toml $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable ".[report]"
	$(BIN)/python -m pip install --quiet --editable ".[peers]" || true
	touch $@

$(VENV)/.docs: pyproject.toml $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@
