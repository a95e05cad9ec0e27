# Installs what was built; included by the root Makefile. Nothing outside of PREFIX is written, below DESTDIR where given.

PREFIX ?= /usr/local
DESTDIR ?=
INSTALLED := $(DESTDIR)$(PREFIX)
# What one release build makes: Swift's libraries are inside, so that a machine without Swift can run it.
RELEASE := .build/release/drydock

.PHONY: install
# Under sudo there may be no swift: then what stands in .build is installed.
install: $(if $(shell command -v swift 2>/dev/null),build-release) ## release build into PREFIX (/usr/local), below DESTDIR
	@for file in $(RELEASE) .build/drydock-jail .build/drydock-probe; do
	    [ -x $$file ] || { echo "install: $$file is missing: build it first, with make build-release"; exit 1; }
	done
	install -D -m 0755 $(RELEASE) $(INSTALLED)/bin/drydock
	install -D -m 0755 .build/drydock-jail $(INSTALLED)/libexec/drydock/drydock-jail
	install -D -m 0755 .build/drydock-probe $(INSTALLED)/libexec/drydock/drydock-probe
	# Made anew, so that a plugin that is no longer shipped is gone.
	rm -rf $(INSTALLED)/share/drydock/plugins
	install -d -m 0755 $(INSTALLED)/share/drydock
	cp -R plugins $(INSTALLED)/share/drydock/plugins
	chmod -R u=rwX,go=rX $(INSTALLED)/share/drydock/plugins
	install -d -m 0755 $(INSTALLED)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' packaging/drydock.service.in >$(INSTALLED)/lib/systemd/system/drydock.service
	chmod 0644 $(INSTALLED)/lib/systemd/system/drydock.service
	install -D -m 0644 packaging/sysusers.conf $(INSTALLED)/lib/sysusers.d/drydock.conf

.PHONY: uninstall
uninstall: ## removes what install wrote; data and /etc/drydock stay
	@rm -f $(INSTALLED)/bin/drydock $(INSTALLED)/lib/systemd/system/drydock.service $(INSTALLED)/lib/sysusers.d/drydock.conf
	rm -rf $(INSTALLED)/libexec/drydock $(INSTALLED)/share/drydock

.PHONY: test-install
test-install: ## installs into a temporary directory and runs what is there
	@Tests/install/run

.PHONY: test-empty-root
test-empty-root: ## the same in a Debian without Swift (root; debootstrap)
	@Tests/install/empty-root
