// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc

/// The variables by which the tools of a step learn of the proxy, and whom to trust behind it.
enum ToolVariables {
    /// Where Debian, and those that follow it, keep the roots that the operator trusts; shown inside with `/etc/ssl`.
    static let roots = "/etc/ssl/certs/ca-certificates.crt"

    /// What steps with a network get.
    static var all: [String: String] {
        access(roots, R_OK) == 0 ? proxy.merging(authorities) { one, _ in one } : proxy
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
    private static let authorities: [String: String] = [
        "SSL_CERT_FILE": roots,  // OpenSSL, Python, Go, uv
        "CURL_CA_BUNDLE": roots,
        "GIT_SSL_CAINFO": roots,
        "PIP_CERT": roots,
        "REQUESTS_CA_BUNDLE": roots,
        "CARGO_HTTP_CAINFO": roots,
        "NODE_EXTRA_CA_CERTS": roots,  // node, npm, yarn, pnpm
    ]
}
