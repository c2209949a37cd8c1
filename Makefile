SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SPARK35 := .venv-spark35
CLIENTS := .venv-clients
PEERS := .venv-bench
MVN := mvn -B -ntp
JAR := python/sealane/jvm/sealane.jar
ENGINES := python/sealane/jvm/engines
SERVER := jvm/server/target/sealane-server.jar
JAVA_SOURCES := $(shell find jvm -path '*/src/main/*' -type f 2>/dev/null) $(wildcard jvm/*/pom.xml) pom.xml tests/conformance/savedmodel_ops.json

export CUDA_VISIBLE_DEVICES :=
export TF_CPP_MIN_LOG_LEVEL ?= 2

help: ## List the task words
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.stamp $(SPARK35)/.stamp $(JAR) $(SERVER) ## Create .venv with everything pinned, one with Spark 3.5, and build the jars

$(VENV)/.stamp: python/locks/dev.txt python/locks/uv.txt pyproject.toml
	@echo "setup: Python environment in $(VENV) (about 8 GB, most of it PyTorch)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r python/locks/uv.txt
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes python/locks/dev.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(SPARK35)/.stamp: python/locks/spark35.txt $(VENV)/.stamp
	@echo "setup: Python environment with the older Spark in $(SPARK35) (about 1 GB)"
	@$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(SPARK35)
	@$(BIN)/uv pip sync -q --python $(SPARK35)/bin/python --require-hashes python/locks/spark35.txt
	@echo '$(CURDIR)/python' > "$$(echo $(SPARK35)/lib/python3.*/site-packages)/sealane.pth"
	@touch $@

# Hard links where the file system has them: the engines' jars are 300 MB.
TAKE_JARS = cp jvm/dist/target/sealane.jar $(JAR) && rm -rf $(ENGINES) && \
	{ cp -rl jvm/dist/target/engines $(ENGINES) 2>/dev/null || cp -r jvm/dist/target/engines $(ENGINES); }

$(JAR): $(JAVA_SOURCES)
	@echo "setup: the Java library"
	@$(MVN) -q -pl jvm/dist -am -DskipTests package
	@$(TAKE_JARS)
	@touch $@

$(SERVER): $(JAVA_SOURCES)
	@echo "setup: the server"
	@$(MVN) -q -pl jvm/server -am -DskipTests package
	@touch $@

# Stock clients can not share an environment: several register the same protocol.
$(CLIENTS)/%/.stamp: python/locks/client-%.txt $(VENV)/.stamp
	@echo "setup: Python environment of the client $*"
	@$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(CLIENTS)/$*
	@$(BIN)/uv pip sync -q --python $(CLIENTS)/$*/bin/python --require-hashes $<
	@touch $@

$(CLIENTS)/camel/.stamp: tests/e2e/server/clients/camel/pom.xml
	@echo "setup: jars of Apache Camel's components"
	@rm -rf $(CLIENTS)/camel
	@$(MVN) -q -f $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(CLIENTS)/camel
	@touch $@

# Neither can the servers that Sealane's is measured beside.
$(PEERS)/%/.stamp: python/locks/bench-%.txt $(VENV)/.stamp
	@echo "setup: Python environment of the server $*"
	@$(BIN)/uv venv -q --allow-existing --python $(BIN)/python $(PEERS)/$*
	@$(BIN)/uv pip sync -q --python $(PEERS)/$*/bin/python --require-hashes $<
	@touch $@

CLIENT_STAMPS := $(CLIENTS)/camel/.stamp $(patsubst python/locks/client-%.txt,$(CLIENTS)/%/.stamp,$(wildcard python/locks/client-*.txt))

PEER_STAMPS := $(patsubst python/locks/bench-%.txt,$(PEERS)/%/.stamp,$(wildcard python/locks/bench-*.txt))

serve: $(SERVER) $(JAR) ## Serve a directory of bundles: make serve REPOSITORY=DIR (SERVE: further flags)
	@java -jar $(SERVER) --engines $(ENGINES) --repository $(REPOSITORY) $(SERVE)

demo: setup ## Train on the flights table, bundle, verify in Python and a JVM, score from plain Java
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python docs/examples/flights/demo.py $(DEMO)

finetune-demo: setup ## Train on ten months in Python, go on with the last two in Java, take the result back
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python docs/examples/flights/finetune.py $(DEMO)

spark-demo: setup ## Score ten million flights on Spark, in the executors' JVMs and in Python workers, and compare
	@test -f out/flights/flights-torch/sealane.json || $(MAKE) demo
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python docs/examples/flights/spark_demo.py $(DEMO)

train-demo: setup ## Train on flights with PyTorch, TensorFlow, JAX and Deeplearning4j on Spark, by two ranks and by one
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python docs/examples/flights/train_demo.py $(DEMO)

test: $(VENV)/.stamp $(SPARK35)/.stamp $(CLIENT_STAMPS) ## Run both suites: Java, Python, the shared conformance data, end to end
	$(MVN) verify
	@$(TAKE_JARS)
	tests/suites.sh $(BIN)/python $(SPARK35)/bin/python

matrix: setup ## Record what the suites find, and make the README's supported matrix of it
	$(BIN)/python -m pytest --record-supported tests/python/export/test_zoo.py tests/python/nodes tests/python/api/test_dtypes.py

lint: $(VENV)/.stamp ## Formatting, types, import layers; both languages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/hadolint docker/*.Dockerfile
	$(MVN) -q -pl '!jvm/bom' spotless:check

format: $(VENV)/.stamp ## Format both languages
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(MVN) -q -pl '!jvm/bom' spotless:apply

docker-test: wheel $(CLIENT_STAMPS) ## Build the images for Spark, serving and development and try them; root on Debian 12, no image registry
	docker/test.sh

wheel: setup ## Build the wheel, jar included, into dist/
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

lock: ## Resolve python/locks anew from pyproject.toml
	$(BIN)/uv pip compile -q pyproject.toml --all-extras --group test --group lint --group build --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade -o python/locks/dev.txt
	$(BIN)/uv pip compile -q pyproject.toml --extra spark --group spark35 --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade -o python/locks/spark35.txt
	$(BIN)/uv pip compile -q pyproject.toml --extra spark -c python/locks/dev.txt --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o docker/spark-requirements.txt
	for lock in $(basename $(notdir $(wildcard python/locks/client-*.in python/locks/bench-*.in))); do $(BIN)/uv pip compile -q python/locks/$$lock.in $$([ $$lock != client-tensorflowservingapi ] || echo --no-deps) --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade -o python/locks/$$lock.txt; done
	grep -A 100 '^uv==' python/locks/dev.txt | awk 'NR > 1 && /^[a-z]/ { exit } !/^ *#/' > python/locks/uv.txt

BENCH_CP := jvm/benchmarks/target/classes:jvm/benchmarks/target/lib/*
PRETOUCHED := -Xms64m -Xmx64m -XX:+AlwaysPreTouch

bench-build: setup
	@$(MVN) -q -pl jvm/benchmarks -am -DskipTests package
	@$(BIN)/python jvm/benchmarks/mlp_bundle.py out/bench/small
	@$(BIN)/python jvm/benchmarks/mlp_bundle.py out/bench/large 2460

bench: bench-build ## Measure Sealane beside raw ONNX Runtime in both languages, about 6 minutes
	$(BIN)/python tests/benchmarks/run.py out/bench/small/mlp out/bench/large/mlp
	java -Dsealane.benchmarks.bundle=out/bench/small/mlp -cp '$(BENCH_CP)' io.sealane.benchmarks.Benchmarks out/bench/large/mlp
	TF_CPP_MIN_LOG_LEVEL=2 java -cp '$(BENCH_CP)' io.sealane.benchmarks.SavedModels tests/conformance/bundles/good/both
	@$(MVN) -q -pl jvm/runtime-dl4j -am -Dtest=ConvolutionCostTest -Dsurefire.failIfNoSpecifiedTests=false -Dsealane.dl4j.bench=true test

serve-bench: bench-build $(SERVER) $(PEER_STAMPS) $(CLIENTS)/tritonclient/.stamp ## Measure the server beside others, about 11 minutes (SERVE_BENCH="--only sealane,triton --rounds 3")
	@$(BIN)/python tests/benchmarks/serving/run.py out/bench/small/mlp out/bench/large/mlp $(SERVE_BENCH)

spark-bench: setup ## Measure scoring on Spark beside other scorers, about 2 hours (SPARK_BENCH=--quick: a smoke run)
	$(BIN)/python tests/benchmarks/spark/run.py $(SPARK_BENCH)

train-bench: setup ## Measure training on Spark beside PyTorch alone, torchrun, TorchDistributor and dl4j-spark, about 40 minutes
	$(BIN)/python tests/benchmarks/spark_training/overhead.py
	$(BIN)/python tests/benchmarks/spark_training/ten_million.py torch
	$(BIN)/python tests/benchmarks/spark_training/dl4j.py

soak: bench-build $(CLIENT_STAMPS) ## Long forms of tests; a model run a million times and opened 500 times in flat memory
	$(BIN)/python -m pytest -m soak
	java $(PRETOUCHED) -Dsealane.benchmarks.bundle=out/bench/small/mlp -cp '$(BENCH_CP)' io.sealane.benchmarks.Soak
	$(BIN)/python tests/soak/soak.py out/bench/small/mlp --engine onnx
	SEALANE_JVM_OPTIONS='$(PRETOUCHED)' $(BIN)/python tests/soak/soak.py out/bench/small/mlp --engine jvm
	@$(MVN) -q -pl jvm/runtime-dl4j -am -Dtest=FreshJvmTest -Dsurefire.failIfNoSpecifiedTests=false -Dsealane.dl4j.jvms=300 -Dsealane.dl4j.soak-seconds=60 test

fuzz: ## Look for requests that the server's decoders take wrongly, half an hour (FUZZ_SECONDS)
	@$(MVN) -q -pl jvm/server -am test-compile dependency:build-classpath -Dmdep.includeScope=test -Dmdep.outputFile=target/test.classpath
	tests/fuzz.sh $(or $(FUZZ_SECONDS),1800)

clean: ## Remove build results, keep .venv
	@rm -rf dist out jvm/*/target $(JAR) $(ENGINES)

.PHONY: help setup serve demo finetune-demo spark-demo train-demo test lint format docker-test wheel lock bench-build bench serve-bench spark-bench train-bench soak fuzz clean
