.DEFAULT_GOAL := help
help: ## List the task words
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16
.PHONY: help
