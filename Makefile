# Two commands do it all: `make run` shows the main job, `make test` passes the tests.
# Needs Go and a C compiler; everything else is pinned in go.mod and clients/package-lock.json.

BIN     := bin/handschlag
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)
LDFLAGS := -s -w -X main.version=$(VERSION)
DATA    ?= data/demo
LISTEN  ?= 127.0.0.1:8080
GO      ?= go

.PHONY: run demo demo-full build lambdas test test-unit smoke lint fmt mutation record bench eval bench-lambda clients test-clients test-signals linearizability verifier test-aws test-terraform sam test-sam test-objectlock scan test-all night-binary night-image test-night clean

## run: build, replay a sample of the real clicks, run the night, print a summary, serve until Ctrl-C
run: build
	$(BIN) demo --data $(DATA) --listen $(LISTEN) --serve

## demo: the same, but exit when done
demo: build
	$(BIN) demo --data $(DATA) --listen $(LISTEN)

## demo-full: all 165,474 clicks, then exit
demo-full: build
	$(BIN) demo --data data/demo-full --listen $(LISTEN) --every 1

build: $(BIN)

$(BIN): FORCE
	@mkdir -p bin
	@GO='$(GO)' tools/build $(BIN) '$(LDFLAGS)'
FORCE:

## verifier: the offline ledger verifier alone, without DuckDB, OPA or Pebble
verifier:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/handschlag-verify ./cmd/handschlag-verify
	@ls -l bin/handschlag-verify | awk '{ printf "bin/handschlag-verify: %.1f MB\n", $$5/1000000 }'

## lambdas: every Lambda main, CGO-free, into bin/lambda/NAME/bootstrap and NAME.zip (CONFIG=FILE puts the shop's configuration in)
lambdas:
	@for d in functions/*/main.go; do n=$$(basename $$(dirname $$d)); mkdir -p bin/lambda/$$n; echo "building $$n"; \
	  CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) build -tags lambda.norpc -trimpath -ldflags '$(LDFLAGS)' \
	    -o bin/lambda/$$n/bootstrap ./$$(dirname $$d) && \
	  $(GO) run ./infra/zip bin/lambda/$$n.zip bootstrap=bin/lambda/$$n/bootstrap $(if $(CONFIG),handschlag.yaml=$(CONFIG)) || exit 1; done

## test: everything that must hold: format, vet, staticcheck, import arrows, Go and Rego tests, a smoke run of the main job
test: lint test-unit smoke

test-unit:
	$(GO) test -timeout 25m ./...

smoke: build
	@rm -rf data/smoke
	$(BIN) demo --data data/smoke --listen 127.0.0.1:0 --every 60
	@rm -rf data/smoke

lint:
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "gofmt -w would change:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

fmt:
	gofmt -w $$(git ls-files '*.go')

## mutation: change the rules at every place and say which changes no Rego test notices (make test tries a drawn part)
mutation:
	$(GO) test ./policy -run TestMutantsAreNoticed -v -mutants 1 | grep -E 'survived|killed|FAIL|^ok'

## record: run the Go tests that bear rule ids and write down what they gave, for audit register
record: build
	$(GO) test -json ./... -run '^Test(CON|SIG|LAW|SPC|ESC|PRI|VAR|EXP|BAT|RGT|ADM|OPS)[0-9][0-9](Allow|Deny)' > bin/law.ndjson; \
	  $(BIN) audit record --revision $(VERSION) --date $$(date -u +%Y-%m-%dT%H:%M:%SZ) < bin/law.ndjson > bin/law.json && \
	  mv bin/law.json policy/law/gotests.json

## bench: the figures of docs/performance.md, as ratios within one run
bench: build
	$(GO) run ./bench

## eval: the night's models on real data, one table: target, published, ours (EVAL_DATA=FOLDER, default ../shared/data)
eval: build
	@$(BIN) eval all

## bench-lambda: what each Lambda weighs, costs to start and takes to answer (docs/performance.md)
bench-lambda:
	@tools/aws-ground
	$(GO) run ./functions/runtimeapi/bench

## clients: drive a started server with the official npm clients of Segment and RudderStack
clients test-clients: build
	clients/run

## test-signals: compare our TCF and GPP decoders with the IAB's npm packages, on COUNT strings of SEED (minutes)
test-signals:
	@GO='$(GO)' clients/signals/run

## linearizability: 100,000 concurrent consent histories, and 5,000 on disk through HTTP, checked with Porcupine (minutes)
linearizability:
	HANDSCHLAG_HISTORIES=100000 $(GO) test -count=1 -timeout 3h -v -run 'TestNothingHappensAfter|TestHistoriesCatch' ./flow
	HANDSCHLAG_HISTORIES_LOCAL=5000 $(GO) test -count=1 -timeout 3h -v -run TestNothingHappensAfter ./api

## test-aws: what needs an account, on a ground that stands in for one (installs DynamoDB Local and moto into bin/aws)
test-aws:
	tools/aws-ground
	$(GO) test -tags awslocal -count=1 -timeout 25m ./host/aws/... ./functions/... ./infra/...
	$(GO) test -tags awslocal -count=1 -timeout 12m -run AWS ./cmd/...

# 77 says that this machine lacks what is needed; the line NOT RUN says what.
OR_NOT := || [ $$? = 77 ]

## sam: the API in containers, built and started by the SAM command line, in front of an account that runs here (docs/sam.md)
sam:
	@infra/sam/run serve $(OR_NOT)

## test-sam: the same unattended: cfn-lint, the demo's requests, and each function's answers (needs Docker; minutes)
test-sam:
	@infra/sam/run test $(OR_NOT)

## test-objectlock: what nobody can take back, on an S3 server that takes object lock seriously
test-objectlock:
	@infra/objectlock $(OR_NOT)

## scan: tflint, checkov and gitleaks, with the reasons for what they may find (infra/scan)
scan:
	@infra/scan/run $(OR_NOT)

## test-all: every test there is, on to the end, and a summary; what cannot run here is said (an hour)
test-all:
	@infra/test-all

## test-terraform: init, validate, test, plan, apply, second plan and destroy with the real AWS provider against moto (minutes; TF_PROVIDER_AWS=FILE)
test-terraform:
	tools/terraform-test

## night-binary: the one binary as a single static file for x86-64, bin/night/handschlag
night-binary:
	@mkdir -p bin/night
	@GO='$(GO)' tools/build bin/night/handschlag '$(LDFLAGS)' static
	@ls -l bin/night/handschlag | awk '{ printf "bin/night/handschlag: %.1f MB\n", $$5/1000000 }'

## night-image: the night's container image from it (CONFIG=FILE puts the shop's configuration in, TAG names it)
night-image: night-binary
	TAG='$(TAG)' infra/night/image bin/night/handschlag $(CONFIG)

## test-night: the static binary runs a night where there is nothing else
test-night: night-binary
	infra/night/test bin/night/handschlag

clean:
	rm -rf bin data/demo data/demo-full data/smoke clients/node_modules
