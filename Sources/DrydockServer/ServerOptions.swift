// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// What an operator decides about the server; filled from the configuration by the composition root.
package struct ServerOptions: Sendable {
    /// Name or address to listen on.
    package var host: String
    /// 0 = any free one.
    package var port: Int
    /// Origins of other hosts whose pages may use the API and `/ws`: `https://app.example.com`.
    package var origins: [String]
    /// Digests of the bearer tokens; empty = none is asked for.
    package var tokens: [Digest]
    /// Largest source archive.
    package var longestUpload: ByteCount
    /// Names the server is reached by, beside localhost, addresses and `host`.
    package var hosts: [String]
    /// Whether a client may name a directory of this machine to build.
    package var allowsPathSources: Bool
    /// Whether a client may name a git URL to build.
    package var allowsGitSources: Bool
    /// The domain below which previews have their hosts.
    package var previewDomain: String
    /// Time after which a WebSocket peer is pinged, and what it then has to answer.
    package var pingInterval: Duration
    package var pongPatience: Duration
    /// Time after which a silent stream of server-sent events shows that it is alive.
    package var streamHeartbeat: Duration
    /// Time in which a new connection must have sent its first request's head.
    package var headPatience: Duration
    /// Time that what still goes on gets when the server shuts down.
    package var shutdownPatience: Duration
    /// Messages that a `/ws` client may send at once, and how many more each second.
    package var messageBurst: Int
    package var messagesPerSecond: Int
    /// Connections that one address of another machine may hold.
    package var connectionsPerAddress: Int
    /// `/ws` connections that one token may hold.
    package var connectionsPerToken: Int
    /// What the server shows to clients of https; nil = it speaks plain HTTP.
    package var certificate: ServerCertificate?
    /// Time after which the certificate's files are looked at again.
    package var certificateInterval: Duration
    /// Proxies whose word counts for where a request comes from.
    package var trustedProxies: [AddressRange]
    /// Time in which a `/ws` connection without a token must have sent one.
    package var tokenPatience: Duration
    /// Connections that may wait for their token, in all and from one address of another machine.
    package var waitingConnections: Int
    package var waitingPerAddress: Int

    package init(
        host: String = "127.0.0.1",
        port: Int = 8080,
        origins: [String] = [],
        tokens: [Digest] = [],
        longestUpload: ByteCount = .mebibytes(512)
    ) {
        self.host = host
        self.port = port
        self.origins = origins
        self.tokens = tokens
        self.longestUpload = longestUpload
        self.hosts = []
        self.allowsPathSources = false
        self.allowsGitSources = false
        self.previewDomain = "localhost"
        self.pingInterval = .seconds(25)
        self.pongPatience = .seconds(10)
        self.streamHeartbeat = .seconds(15)
        self.headPatience = .seconds(20)
        self.shutdownPatience = .seconds(10)
        self.messageBurst = 500
        self.messagesPerSecond = 50
        self.connectionsPerAddress = 1_000
        self.connectionsPerToken = 1_000
        self.certificate = nil
        self.certificateInterval = .seconds(10)
        self.trustedProxies = []
        self.tokenPatience = .seconds(10)
        self.waitingConnections = 256
        self.waitingPerAddress = 16
    }
}
