// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel
internal import DrydockOS
internal import DrydockPlugins
internal import FoundationEssentials
internal import SystemPackage

/// The command `drydock plugin new`.
struct PluginNewCommand: AsyncParsableCommand {
    enum Language: String, ExpressibleByArgument, CaseIterable {
        case sh
        case python
    }

    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Begins a plugin: a folder with a manifest and a program that works.",
        discussion: """
            A plugin in sh is a guest, which runs in the build's sandbox; one in Python a driver, which decides and asks
            the host to run commands. docs/plugin-protocol.md explains both.

            EXAMPLES
              drydock plugin new zip --language sh
              drydock plugin new docs --language python --into ./plugins
            """
    )

    @Argument(help: "The plugin's name: \(PluginName.rule).") var name: String
    @Option(help: "The language of its program.") var language = Language.sh
    @Option(
        help: ArgumentHelp(
            "The plugin directory. Default: your own, ~/.config/drydock/plugins.",
            valueName: "dir"
        )
    )
    var into: String?
    @Option(help: "The two digits that give its place among the others.") var order = 50

    func validate() throws {
        guard PluginName(rawValue: name) != nil else {
            throw ValidationError("'\(name)' is no plugin name: \(PluginName.rule)")
        }
        guard (10...99).contains(order) else { throw ValidationError("--order takes two digits, 10 to 99") }
    }

    func run() async throws {
        let directory = FilePath(into ?? Self.own)
        let folder = directory.appending("\(order)-\(name)")
        do {
            try makeDirectories(directory, permissions: 0o755)
            guard !FileManager.default.fileExists(atPath: folder.string) else {
                throw CommandProblem(
                    .usage,
                    folder.string,
                    why: "it is there already",
                    remedy: "choose another name"
                )
            }
            let template = PluginTemplate(name: name, language: language)
            try makeDirectories(folder, permissions: 0o755)
            for file in template.files {
                try NamedFile.write(Array(file.text.utf8), to: folder.appending(file.name).string)
                try FileManager.default.setAttributes(
                    [.posixPermissions: file.isExecutable ? 0o755 : 0o644],
                    ofItemAtPath: folder.appending(file.name).string
                )
            }
        } catch let error as Errno {
            throw CommandProblem(
                .usage,
                folder.string,
                why: "\(error)",
                remedy: "name a directory of yours with --into"
            )
        }
        Console.out("made \(folder)")
        for line in [
            "try it:  drydock plugin list --plugins \(directory)",
            "         drydock build --plugins \(directory) PROJECT   (a project with a file \(PluginTemplate.trigger(name)))",
        ] { Console.out(line) }
    }

    private static var own: String {
        let environment = ProcessInfo.processInfo.environment
        let base = environment["XDG_CONFIG_HOME"] ?? "\(environment["HOME"] ?? "")/.config"
        return "\(base)/drydock/plugins"
    }
}

/// The files that a plugin begins with.
struct PluginTemplate {
    let name: String
    let language: PluginNewCommand.Language

    /// The file that has the plugin recognise a project, until its author says something better.
    static func trigger(_ name: String) -> String { "\(name).me" }

    var files: [(name: String, text: String, isExecutable: Bool)] {
        switch language {
        case .sh:
            [("plugin.json", guestManifest, false), ("plugin", guest, true), ("README.md", readme, false)]
        case .python:
            [("plugin.json", driverManifest, false), ("plugin", driver, true), ("README.md", readme, false)]
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

    private var guestManifest: String {
        """
        {
          "protocol": "1.0", "name": "\(name)", "version": "0.1.0", "title": "\(name)", "kind": "guest",
          "detect": {"files": ["\(Self.trigger(name))"], "score": 50},
          "stages": [{"id": "work", "title": "Work"}],
          "config": {"properties": {}}
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

    private var driverManifest: String {
        """
        {
          "protocol": "1.0", "name": "\(name)", "version": "0.1.0", "title": "\(name)", "kind": "driver",
          "verbs": ["run", "detect", "plan"],
          "detect": {"files": ["\(Self.trigger(name))"], "score": 50},
          "stages": [{"id": "work", "title": "Work", "weight": 10}, {"id": "collect", "title": "Collect the results"}],
          "requires": {"commands": ["python3"]},
          "permits": {"network": []},
          "config": {"properties": {"message": {"type": "string", "maxLength": 200}}}
        }

        """
    }

    /// It brings the little of the protocol that it needs: `lib` belongs to the directory of the plugins that ship.
    private var driver: String {
        #"""
        #!/usr/bin/env python3
        """Decides here, in a sandbox of its own, and has the host run commands in the project's."""

        import json
        import os
        import sys


        def say(t, **fields):
            print("@dd " + json.dumps({"t": t, **fields}), flush=True)


        def run(*argv):
            """Has the host run a command in the build's sandbox; returns how it ended."""
            say("exec", id="c", argv=list(argv))
            for line in sys.stdin:
                answer = json.loads(line)
                if answer["t"] == "exec.end":
                    return answer
                if answer["t"] == "cancel":
                    break
            sys.exit(1)


        def work(request):
            say("stage", id="work")
            message = request["with"].get("message", "hello")
            # What comes from the project is an argument, never a part of a line of shell.
            if run("sh", "-c", 'printf "%s\\n" "$1" > "$DRYDOCK_OUT/message.txt"', "sh", message)["exit"] != 0:
                say("end", ok=False)
                sys.exit(1)
            say("artifact", path="message.txt", role="other")
            say("end", ok=True)


        verb = sys.argv[1] if len(sys.argv) > 1 else ""
        first = json.loads(sys.stdin.readline()) if verb in ("detect", "plan", "run") else None
        if verb == "detect":
            print(json.dumps({"score": 50, "why": "found " + ", ".join(first["files"][:1])}))
        elif verb == "plan":
            # {"error": {"message": …, "hint": …, "file": …, "line": …}} where it can not be built.
            print(json.dumps({"steps": [{}]}))
        elif verb == "run":
            say("hello", protocol="1.0")
            work(json.loads(sys.stdin.readline()))
        else:
            sys.exit(64)

        """#
    }
}
