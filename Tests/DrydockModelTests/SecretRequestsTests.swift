// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockModel

@Suite("requests that a secret is for")
struct SecretRequestsTests {
    private func pattern(_ text: String) throws -> PathPattern {
        try PathPattern(Field(.string(text), key: "paths", of: "the file", .document))
    }

    @Test(
        "a path is compared in one form",
        arguments: [
            ("/simple/pip/", true), ("/simple/", true), ("/simple/%70ip/", true), ("/s%69mple/pip", true),
            ("/simple/pip?x=/../", true), ("/simple/a%2fb", true), ("/simple/a%20b", true),
            ("/simple", false), ("/Simple/pip", false), ("/simplex/pip", false), ("/other", false),
            ("/simple/../other", false), ("/simple/%2e%2e/other", false), ("/simple/.%2E/other", false),
            ("/simple/./pip", false), ("/simple//pip", false), ("//simple/pip", false),
            ("/simple/..%2fother", false), ("/simple/%2e%2e%2fother", false), ("/simple%2fpip", false),
            ("/simple/..%5cother", false), ("/simple/..\\other", false), ("/simple/%252e%252e/other", false),
            ("/simple/..;/other", false), ("/simple/..;x=1/other", false), ("/simple/.%3b/other", false),
            ("/simple/..%00/other", false), ("/simple/%c0%ae%c0%ae/other", false), ("/simple/%", false),
            ("/simple/%2", false), ("/simple/%+2e", false), ("/simple/%zz", false), ("/simple/.. /x", false),
            ("/simple/..%20/x", false), ("/simple/x#/../..", false), ("simple/pip", false), ("", false),
            ("*", false), ("/simple/...", false),
        ]
    )
    func paths(_ uri: String, _ isAllowed: Bool) throws {
        var requests = SecretRequests()
        requests.paths = [try pattern("/simple/*")]
        #expect(requests.allow(method: "GET", uri: uri) == isAllowed)
        #expect(!requests.allow(method: "PUT", uri: uri))
    }

    @Test("a whole path is that one; without paths all are allowed, for the methods alone")
    func whole() throws {
        var requests = SecretRequests()
        #expect(requests.allow(method: "HEAD", uri: "/a/../b"))
        #expect(!requests.allow(method: "POST", uri: "/") && !requests.allow(method: "get", uri: "/"))
        requests.paths = [try pattern("/a%2Fb"), try pattern("/one")]
        requests.methods = ["POST"]
        #expect(requests.allow(method: "POST", uri: "/one"))
        #expect(!requests.allow(method: "POST", uri: "/one/"))
        #expect(!requests.allow(method: "GET", uri: "/one"))
    }

    @Test(
        "patterns that can not be compared are refused",
        arguments: ["simple/*", "/a/../*", "/*/b", "/a*", "/a?b", "//"]
    )
    func patterns(_ text: String) {
        #expect(throws: FieldProblem.self) { try pattern(text) }
    }

    @Test(
        "git may fetch and never push",
        arguments: [
            ("GET", "/g/r.git/info/refs?service=git-upload-pack", true),
            ("POST", "/g/r.git/git-upload-pack", true),
            ("GET", "/g/r.git/info/refs?service=git-receive-pack", false),
            ("GET", "/g/r.git/info/refs", false),
            ("GET", "/g/r.git/info/refs?service=git-upload-pack&service=git-receive-pack", false),
            ("GET", "/g/r.git/info/refs?service=git%2dreceive-pack", false),
            ("POST", "/g/r.git/git-receive-pack", false),
            ("POST", "/g/r.git/git-upload-pack?x", false),
            ("POST", "/g/r.git/git-receive-pack/../git-upload-pack", false),
            ("POST", "/g/r.git/git-receive-pack%3f/git-upload-pack/..", false),
            ("POST", "/g%2fr.git/git-upload-pack", false),
            ("POST", "/other/r.git/git-upload-pack", false),
            ("PUT", "/g/r.git/git-upload-pack", false), ("GET", "/g/r.git/HEAD", false),
            ("POST", "/g/r.git/info/lfs/objects/batch", false),
        ]
    )
    func git(_ method: String, _ uri: String, _ isAllowed: Bool) throws {
        var requests = SecretRequests()
        requests.isGit = true
        requests.paths = [try pattern("/g/*")]
        #expect(requests.allow(method: method, uri: uri) == isAllowed)
    }

    @Test("a secret is for its host, port, scheme, project and step, and is never shown")
    func scope() throws {
        let host = try HostName("index.example")
        var secret = try HostSecret(host, .basic("me:hunter22"))
        let policy = NetworkPolicy([NetworkRule(.name(host))])
        let purpose = SandboxPurpose(
            project: ProjectName(rawValue: "a"),
            step: StepID(unchecked: "python")
        )
        #expect(secret.isFor(nil, policy) && secret.isFor(purpose, policy) && !secret.isFor(nil, .none))
        secret.projects = [ProjectName(rawValue: "b")]
        #expect(!secret.isFor(purpose, policy) && !secret.isFor(nil, policy))
        secret.projects = [ProjectName(rawValue: "a")]
        secret.steps = [StepID(unchecked: "other")]
        #expect(!secret.isFor(purpose, policy))
        secret.steps?.insert(StepID(unchecked: "python"))
        #expect(secret.isFor(purpose, policy))

        #expect(
            secret.isFor(host, port: 443, isSecure: true) && !secret.isFor(host, port: 444, isSecure: true)
        )
        #expect(!secret.isFor(host, port: 80, isSecure: false))
        #expect(!secret.isFor(try HostName("sub.index.example"), port: 443, isSecure: true))
        secret.isInsecure = true
        #expect(
            secret.isFor(host, port: 80, isSecure: false) && !secret.isFor(host, port: 443, isSecure: false)
        )

        var dumped = ""
        dump([secret], to: &dumped)
        for text in [dumped, "\(secret)", String(reflecting: secret), "\([secret.credential])"] {
            #expect(!text.contains("hunter"), "\(text)")
        }
        #expect(throws: FieldProblem.self) { try HostSecret(host, .basic("me:short")) }
        #expect(throws: FieldProblem.self) { try HostSecret(host, .bearer("abc\r\nX: y")) }
    }
}
