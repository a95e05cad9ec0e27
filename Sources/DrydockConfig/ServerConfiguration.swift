// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What the operator decides, from file, environment and flags; every key stands in docs/configuration.md.
package struct ServerConfiguration: Hashable, Sendable {
    /// `HOST:PORT` to serve on.
    package var listen = "127.0.0.1:8080"
    /// The data directory; nil = the default for this user.
    package var data: String?
    /// Directories with plugins, searched in this order; empty = those that ship.
    package var plugins: [String] = []
    /// Origins whose pages may talk to the API besides those of localhost.
    package var origins: [String] = []
    /// Proxies whose word counts for where a request comes from.
    package var trustedProxies: [AddressRange] = []
    package var connections = ConnectionSettings()
    package var queue = QueueSettings()
    package var tls = TLSSettings()
    /// File with hashed tokens; nil = none are needed, on loopback only.
    package var tokens: String?
    /// File with what the proxy adds to requests (`SecretsFile`); nil = nothing.
    package var secrets: String?
    /// Absolute directories that builds see read-only, besides the system's own.
    package var toolchain: [String] = []
    /// The root file systems that projects may ask for, by name; empty = all that were imported.
    package var roots: [String] = []
    /// What builds may do.
    package var policy = Policy()
    /// Builds that run at one time.
    package var slots = 2
    package var sources = SourceSettings()
    package var network = NetworkSettings()
    package var preview = PreviewSettings()
    /// How much is kept of what builds leave to the next ones of their project.
    package var projectCache = ProjectCacheLimits()
    /// How long builds that have ended are kept.
    package var retention = Retention()

    /// Nothing but defaults.
    package init() {}
}

/// Where sources may come from, and how large they may be.
package struct SourceSettings: Hashable, Sendable {
    /// Directories of this machine that may be built, with everything below them.
    package var paths: [String] = []
    /// Hosts that may be cloned from by https.
    package var git: [String] = []
    /// Bytes of an uploaded archive.
    package var upload = ByteCount.mebibytes(512)
    /// Bytes of a source, unpacked.
    package var size = ByteCount.gibibytes(2)
    /// Files and directories of a source.
    package var files = 200_000
}

/// How many connections one of them may hold.
package struct ConnectionSettings: Hashable, Sendable {
    /// An address of another machine.
    package var perAddress = 1_000
    /// A token, on `/ws`.
    package var perToken = 1_000
}

/// How many builds may wait.
package struct QueueSettings: Hashable, Sendable {
    /// Of everybody.
    package var all = 10_000
    /// Of one token.
    package var perToken = 1_000
    /// Of one session.
    package var perSession = 100
}

/// What the server speaks TLS with; neither or both.
package struct TLSSettings: Hashable, Sendable {
    /// File with its certificate and those up to its authority, in PEM.
    package var certificate: String?
    /// File with the key, in PEM.
    package var key: String?
}

/// How results are served.
package struct PreviewSettings: Hashable, Sendable {
    /// Previews have names of their own below it: `d-….DOMAIN`.
    package var domain = "localhost"
}

extension ServerConfiguration {
    /// Puts together what file, environment and flags say; what comes later in this order wins.
    ///
    /// - Parameters:
    ///   - file: Name, for messages, and bytes of the YAML file, if there is one.
    ///   - environment: Of it, `DRYDOCK_` and the key in capitals with `_` for `.`: `DRYDOCK_LIMITS_MEMORY`.
    ///   - flags: Keys as in the table, `limits.memory`, and their values as text.
    /// - Throws: `configInvalid` with file and line, or the variable's or flag's name, and the nearest valid key.
    package init(
        file: (name: String, bytes: [UInt8])?,
        environment: [String: String] = [:],
        flags: [(key: String, value: String)] = []
    ) throws(Failure) {
        self.init()
        if let file {
            do throws(FieldProblem) {
                if let document = try YAMLDocument.parse(file.bytes, file: file.name) { try apply(document) }
            } catch {
                throw Failure(error, file: file.name)
            }
        }
        for setting in Setting.all {
            if let text = environment[setting.variable] { try apply(setting, text, from: setting.variable) }
        }
        for (key, text) in flags {
            guard let setting = Setting.all.first(where: { $0.key == key }) else {
                let keys = Setting.all.map(\.key)
                throw Failure(.unknownKey(key, of: "the configuration", among: keys), file: "--set")
            }
            try apply(setting, text, from: "--set \(key)")
        }
    }

    /// Applies what a variable or a flag says.
    private mutating func apply(_ setting: Setting, _ text: String, from source: String) throws(Failure) {
        do throws(FieldProblem) {
            try setting.apply(&self, Field(.string(text), key: setting.key, of: source, .setting))
        } catch {
            throw Failure(error, file: source)
        }
    }

    /// Applies a table of the file, or all of it.
    private mutating func apply(_ table: Field) throws(FieldProblem) {
        let keys = Setting.keys(below: table.name)
        let fields = try table.fields(keys)
        for field in keys.compactMap({ fields[$0] }) {
            if let setting = Setting.all.first(where: { $0.key == field.name }) {
                try setting.apply(&self, field)
            } else {
                try apply(field)
            }
        }
    }
}
