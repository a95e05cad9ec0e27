# The judge of our WebSocket protocol: every case of the Autobahn|Testsuite against an echo that speaks with the server's own codec.

# A Python 2.7, which the suite needs; empty: the one on the path, or pyenv's.
PYTHON2 ?=

.PHONY: autobahn
autobahn: packages ## PYTHON2=…: sections 1-13 of the Autobahn|Testsuite; a quarter of an hour, results in .build/autobahn
	@Tests/Autobahn/run --find-python "$(PYTHON2)"
	DRYDOCK_BENCH=1 swift build -c release --scratch-path .build/bench --product drydock-echo
	Tests/Autobahn/run --python "$(PYTHON2)" --echo .build/bench/release/drydock-echo --into .build/autobahn
