// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// The files that a plugin begins with.
struct PluginTemplate {
    let name: String
    let language: PluginNewCommand.Language
    let kind: PluginNewCommand.Kind

    /// The file that has the plugin recognise a project, until its author says something better.
    static func trigger(_ name: String) -> String { "\(name).me" }

    /// What it needs of the helpers in `plugins/lib`.
    var helper: String? {
        guard kind == .driver else { return nil }
        return language == .sh ? "drydock.sh" : "drydock.py"
    }

    var files: [(name: String, text: String, isExecutable: Bool)] {
        [("plugin.json", manifest, false), ("plugin", program, true), ("README.md", readme, false)]
    }

    private var program: String {
        switch (kind, language) {
        case (.guest, _): guest
        case (.driver, .sh): shellDriver
        case (.driver, .python): pythonDriver
        }
    }

    private var readme: String {
        """
        # \(name)

        What it recognises, what it does, what it gives out.

        | parameter | meaning |
        | --- | --- |

        """
    }

    private var manifest: String {
        let verbs = language == .python ? "\n  \"verbs\": [\"run\", \"detect\", \"plan\"]," : ""
        let command = language == .python ? "\n  \"requires\": {\"commands\": [\"python3\"]}," : ""
        let message = #""message": {"type": "string", "maxLength": 200}"#
        return """
            {
              "protocol": "1.0", "name": "\(name)", "version": "0.1.0", "title": "\(name)", "kind": "\(kind.rawValue)",\(verbs)
              "detect": {"files": ["\(Self.trigger(name))"], "score": 50},
              "stages": [{"id": "work", "title": "Work"}],\(command)
              "config": {"properties": {\(language == .python ? message : "")}}
            }

            """
    }

    private var guest: String {
        """
        #!/bin/sh
        # Runs in the build's sandbox, in $DRYDOCK_SOURCE. Exit status 0 is success; what lies below $DRYDOCK_OUT is kept.
        set -eu
        echo "@dd stage work"
        tar -czf "$DRYDOCK_OUT/all.tar.gz" .

        """
    }

    private var shellDriver: String {
        """
        #!/bin/sh
        # Decides here, where the project can be read and not run, and has the host run commands in the build's sandbox.
        . "$DRYDOCK_LIB/drydock.sh"
        dd_begin
        stage work Work
        must 'tar -czf "$DRYDOCK_OUT/all.tar.gz" .'
        echo "@dd artifact all.tar.gz package"
        dd_end

        """
    }

    private var pythonDriver: String {
        #"""
        #!/usr/bin/env python3
        """Decides here, where the project can be read and not run, and has the host run commands in the build's sandbox."""

        import os
        import sys

        # The directory of plugins stays as it is: its digest is part of every cache key.
        sys.dont_write_bytecode = True
        sys.path.insert(0, os.environ["DRYDOCK_LIB"])
        import drydock


        def detect(project):
            """How much the project is this plugin's, and why; None = not at all."""
            return 50, "found \#(Self.trigger(name))"


        def plan(project):
            """Raises drydock.Failed(message, hint) where it can not be built; may return fields of the step."""
            return {}


        def run(job):
            job.stage("work")
            # What comes from the project is an argument, never a part of a line of shell.
            job.shell('printf "%s\n" "$1" > "$DRYDOCK_OUT/message.txt"', job.options.get("message", "hello"))
            job.artifact("message.txt", "other")


        drydock.serve(detect=detect, plan=plan, run=run)

        """#
    }
}
