# vllm-mock: build, run, test.  `make help` lists the targets.

SHELL = /bin/bash
.DELETE_ON_ERROR:

BUILD = build
ROOMS = base text engine metrics api

# The nginx to build against: Debian's (package nginx-dev), or NGINX_SRC=DIR,
# an nginx source tree, which is then built as well.

ifdef NGINX_SRC
NGX = $(BUILD)/nginx-src-$(notdir $(patsubst %/,%,$(NGINX_SRC)))
else
NGX = $(BUILD)/nginx-debian
endif

SO = $(NGX)/objs/ngx_http_vllm_mock_module.so
MODULE = $(BUILD)/ngx_http_vllm_mock_module.so

SOURCES = $(wildcard ngx_http_vllm_mock_module.c src/*/*.c)
HEADERS = $(wildcard src/*/*.h)

all: $(MODULE) tools
	@echo "module: $(abspath $(MODULE))"

help:
	@sed -n 's/^#: //p' Makefile

#: make            build the module (and the tools), print where it is
#: make run        install what is missing, build, serve on SERVER_PORT (8000)
#:                 ARGS="--help" for vLLM's arguments, CONF=FILE for your own
#: make test       install what tests need, run all of them
#: make image-test build the image and run it (Docker, or buildah as root)
#: make kube-test KUBE=DIR  against a real Kubernetes API (docs/kubernetes.md)
#: make install    into nginx's module directory
#: make golden     replay the recordings of a real vLLM [CASES="FILES"]
#: make golden-table  every endpoint's answers as kept in t/golden/table [RECORD=1]
#: make NGINX_SRC=DIR ...   the same against an nginx source tree
#: make clean

.PHONY: all help deps test-deps run test install clean tools lib unit golden \
	golden-serve golden-metrics golden-table borders lint


# ---- what the machine needs ----

deps:
	@tools/deps.sh build

test-deps:
	@tools/deps.sh test


# ---- the module ----

$(NGX)/configured: config src/http/page.html $(if $(wildcard $(NGX)/sources.list),,FORCE)
	tools/configure.sh "$(NGX)" "$(NGINX_SRC)"

FORCE:

# new files must be configured in

ifneq ($(sort $(SOURCES)),$(sort $(file <$(NGX)/sources.list)))
$(NGX)/configured: FORCE
endif

$(SO): $(NGX)/configured $(SOURCES) $(HEADERS)
	@printf '%s\n' $(SOURCES) > $(NGX)/sources.list
	+$(MAKE) -s -C $(NGX) -f objs/Makefile modules
	@touch $@

# the last copy may be of another nginx

$(MODULE): $(SO) $(if $(shell cmp -s $(SO) $(MODULE) || echo other),FORCE)
	@mkdir -p $(BUILD)
	cp $(SO) $@

install: $(MODULE)
	install -D -m 644 $(MODULE) \
	    "$(DESTDIR)$$(tools/modules-path.sh)/ngx_http_vllm_mock_module.so"


# ---- the pure rooms as a library, for tools and unit tests ----

CFLAGS ?= -g -O2
WARN = -Wall -Wextra -Werror
PURE = -std=gnu11 -D_GNU_SOURCE -ffp-contract=off
LIBS = -ljansson -lutf8proc -lz -lm

LIB_SRC = $(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c))
LIB_OBJ = $(LIB_SRC:src/%.c=$(BUILD)/lib/%.o)
UNIT = $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(wildcard t/unit/*_test.c))
TOOLS_SRC = $(wildcard tools/*.c)

$(BUILD)/lib/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PURE) $(WARN) -c -o $@ $<

$(BUILD)/libvm.a: $(LIB_OBJ)
	rm -f $@
	ar rcs $@ $(LIB_OBJ)

lib: $(BUILD)/libvm.a

$(BUILD)/unit/%: t/unit/%.c $(wildcard t/unit/*.h) $(BUILD)/libvm.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(PURE) $(WARN) -o $@ $< $(BUILD)/libvm.a -lcmocka $(LIBS)

unit: $(UNIT)

tools: $(if $(TOOLS_SRC),$(BUILD)/vllm-mock-replay)

$(BUILD)/vllm-mock-replay: $(TOOLS_SRC) $(wildcard tools/*.h) $(BUILD)/libvm.a
	$(CC) $(CFLAGS) $(PURE) $(WARN) -o $@ $(TOOLS_SRC) $(BUILD)/libvm.a \
	    $(LIBS)


# ---- use ----

run: deps
	@[ -e $(MODULE) ] || echo "building the module, which takes a minute"
	@$(MAKE) --no-print-directory -s all
	@tools/run.sh

test: test-deps
	@t/run.sh $(if $(NGINX_SRC),"$(NGINX_SRC)")

golden: $(MODULE)
	@python3 t/golden/replay.py compare $(CASES)

golden-serve: $(MODULE)
	@python3 t/golden/replay.py serve

golden-table: $(MODULE)
	@python3 t/golden/table.py $(if $(RECORD),record,compare)

golden-metrics: $(MODULE)
	@python3 t/golden/replay.py metrics $(WORKLOADS)

clean:
	rm -rf $(BUILD)


# ---- the image and the cluster: not part of make test ----

.PHONY: image-test kube-test

image-test:
	@python3 t/image/image_test.py

kube-test: $(MODULE)
	@python3 t/kube/kube_test.py "$(KUBE)"
