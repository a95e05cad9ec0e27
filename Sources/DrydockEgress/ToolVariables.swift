// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The variables by which the tools of a step learn of the proxy, and whom to trust behind it.
enum ToolVariables {
    /// Where Debian, and those that follow it, keep the roots that the operator trusts; shown inside with `/etc/ssl`.
    static let machineRoots = "/etc/ssl/certs/ca-certificates.crt"
    /// Where their Java has the same.
    static let machineJavaStore = "/etc/ssl/certs/java/cacerts"

    /// What a step gets that may reach `policy`; `roots` is a file inside with the certificates to trust, nil = there is none.
    ///
    /// `javaStore` is one with the same for Java, nil = its own is right.
    static func all(
        for policy: NetworkPolicy,
        _ tools: ToolIndexes,
        roots: String?,
        javaStore: String? = nil
    ) -> [String: String] {
        var variables = proxy
        if let roots { for name in authorities { variables[name] = roots } }
        if let javaStore {
            for name in javaOptions { variables[name] = "-Djavax.net.ssl.trustStore=\(javaStore)" }
        }
        return variables.merging(tools.variables(for: policy)) { one, _ in one }
    }

    /// What curl, wget, git, pip, uv, npm, yarn, cargo, go and most others read, in both spellings: some know only one.
    ///
    /// Source: man 1 curl, "ENVIRONMENT"; the lower-case form alone is read for plain HTTP there.
    private static let proxy: [String: String] = {
        let address = "http://127.0.0.1:\(EgressDoor.proxyPort)"
        var variables: [String: String] = [:]
        for (name, value) in [
            ("http_proxy", address), ("https_proxy", address), ("no_proxy", "localhost,127.0.0.1,::1"),
        ] {
            variables[name] = value
            variables[name.uppercased()] = value
        }
        return variables
    }()

    /// The operator's roots for tools that bring their own: without them a host behind an authority of the operator's is
    /// reached by some tools and not by others.
    private static let authorities = [
        "SSL_CERT_FILE",  // OpenSSL, Python, Go, uv
        "CURL_CA_BUNDLE",
        "GIT_SSL_CAINFO",
        "PIP_CERT",
        "REQUESTS_CA_BUNDLE",
        "CARGO_HTTP_CAINFO",
        // Not YARN_HTTPS_CA_FILE_PATH: Yarn 2 and 3 stop at a setting that they do not know.
        "NODE_EXTRA_CA_CERTS",  // node, npm, yarn, pnpm
        "npm_config_cafile",  // npm and pnpm, where a configuration of the machine names another file
    ]

    /// What the two tools hand on that fetch by Java, for a Java that brings a store of its own.
    ///
    /// Not JAVA_TOOL_OPTIONS, which every Java reads: each then begins by printing a line about it.
    private static let javaOptions = ["MAVEN_OPTS", "GRADLE_OPTS"]
}
