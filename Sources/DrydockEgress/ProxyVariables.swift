// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Where the proxy is inside, and by which variables the tools of a step learn of it.
enum ProxyVariables {
    static let port: UInt16 = 3_128
    static let loopback: UInt32 = 0x7F00_0001
    static let address = "http://127.0.0.1:\(port)"

    /// What curl, wget, git, pip, uv, npm, yarn, cargo, go and most others read, in both spellings: some know only one.
    ///
    /// Source: man 1 curl, "ENVIRONMENT"; the lower-case form alone is read for plain HTTP there.
    static let all: [String: String] = {
        var variables: [String: String] = [:]
        let own = "localhost,127.0.0.1,::1"
        for (name, value) in [("http_proxy", address), ("https_proxy", address), ("no_proxy", own)] {
            variables[name] = value
            variables[name.uppercased()] = value
        }
        return variables
    }()
}
