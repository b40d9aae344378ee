# What every process of this project finds: its own tools first, and caches inside the project's folder only.
# Read by make and by `fourblocks` (cli/project.py), so that both start the same processes.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export TMPDIR := $(CURDIR)/.cache/tmp
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export npm_config_cache := $(CURDIR)/.cache/npm
export CDK_HOME := $(CURDIR)/.cache/cdk
export CDK_DISABLE_CLI_TELEMETRY := true
export CDK_NOTICES := false
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.cache/jsii
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1
export SPARK_LOCAL_DIRS := $(CURDIR)/.cache/tmp
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The JVM would leave /tmp/hsperfdata_<user> behind, and knows nothing of TMPDIR.
export JAVA_TOOL_OPTIONS := -XX:-UsePerfData -Djava.io.tmpdir=$(CURDIR)/.cache/tmp
