# There is one command for each task. Every target sets up what it needs.
SHELL := /bin/sh
NODE := node_modules/node/bin/node
RUN := $(NODE) --disable-warning=ExperimentalWarning
VITEST := $(NODE) node_modules/vitest/vitest.mjs run

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint unit integration clusters kubernetes kubernetes-previous servers salt deb format generate bench fleet quiet policies unproven clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing (Debian packages, npm packages, the pinned Node)
	@tools/setup

demo: setup $(if $(KUBERNETES)$(FLEET),kubernetes) $(if $(FLEET),servers salt) ## the platform in a box, live; KUBERNETES=1: real control planes; FLEET=1: from bare servers to a cluster; ONCE=1: as text
	@$(RUN) src/cli/main.ts demo $(if $(ONCE),--once) $(if $(KUBERNETES),--kubernetes) $(if $(FLEET),--fleet)

test: setup kubernetes servers salt ## every check and every test; ends with "N passed, N failed"
	@$(RUN) tools/test.ts

lint: setup ## types, lint, format, dependency directions, dead code
	@$(RUN) tools/test.ts --only lint

unit: setup ## unit tests
	@$(VITEST) --project unit

integration: setup servers salt ## tests against real daemons, in namespaces of their own
	@$(RUN) tools/test.ts --only integration

clusters: setup kubernetes servers salt ## tests against real Kubernetes control planes
	@$(RUN) tools/test.ts --only clusters

kubernetes: setup ## build the real control plane of tests and lab (once; 10 to 15 minutes)
	@$(RUN) tools/kubernetes/build.ts

servers: setup ## make the root filesystem of the lab's servers and the programs of a node (once; 1 to 3 minutes)
	@$(RUN) tools/servers/build.ts

kubernetes-previous: setup ## build the Kubernetes of the minor version before, for tests of an upgrade (once; ten minutes)
	@$(RUN) tools/servers/build.ts --previous

salt: setup ## install the pinned Salt of the tests (once; about a minute)
	@$(RUN) tools/salt/install.ts

deb: setup ## the agents as a Debian package, in build/deb; VERSION=… ARCH=arm64 for another
	@$(RUN) tools/deb/build.ts

format: setup ## format the code and order imports
	@node_modules/.bin/biome check --write .

generate: setup ## write the generated files again (CRDs, reference)
	@$(RUN) tools/crds.ts

bench: setup ## measure, and print ratios; ONLY=name runs some
	@$(RUN) test/bench/main.ts $(if $(ONLY),--only $(ONLY))

fleet: setup kubernetes servers salt ## make a cluster of booted servers by `tideline fleet apply` and a Salt master, and other tests of minutes
	@$(RUN) test/fleet/install.ts
	@tools/isolated $(VITEST) --project fleet

quiet: setup ## leave a lab alone for a quarter of an hour: no alert may fire; MINUTES=n for another time
	@$(RUN) test/bench/quiet.ts $(MINUTES)

policies: setup ## random policies and failures, asked three ways: COUNT=n (10,000), SEED=n to repeat a run
	@tools/isolated $(RUN) test/bench/policies.ts $(or $(COUNT),10000) $(SEED)

unproven: setup ## settle on a real Route 53 account what its documentation does not say; ZONE=test.example DEAD=ADDRESS:PORT, YES=1 does it
	@$(RUN) tools/unproven.ts --zone "$(ZONE)" --dead "$(DEAD)" $(if $(YES),--yes)

clean: ## remove everything that was built or installed here
	rm -rf build dist node_modules
