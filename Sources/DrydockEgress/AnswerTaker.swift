// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import NIOCore
import NIOHTTP1

/// Who gets the answer to a request: the client, or what stands before it.
///
/// All calls are made on the event loop of the client.
protocol AnswerTaker {
    /// Whether it takes more of the answer now.
    var isWritable: Bool { get }

    /// The answer begins: `head` is what the client gets, `original` what the host said.
    func begin(_ head: HTTPResponseHead, from original: HTTPResponseHead)
    func add(_ bytes: ByteBuffer)
    /// What was added is all there is for now.
    func flush()
    /// The answer is whole; the next request may follow on the connection, or nothing more.
    func end(keepAlive: Bool)
    /// There is no answer; nothing of one was begun.
    func refuse(_ refusal: Refusal)
    /// There is no rest of the answer: cut off, so that nobody takes the half for the whole.
    func cutOff()
    /// More of the request is taken.
    func resumeRequest()
}

/// A request that is being answered, as its client's connection sees it.
///
/// All calls are made on the event loop of the client.
protocol AnsweredRequest: AnyObject {
    /// Whether more of the request's body may be read.
    var takesMore: Bool { get }

    func send(_ bytes: ByteBuffer)
    func endBody()
    /// The client takes more of the answer.
    func resume()
    /// The client is gone.
    func abandon()
}

/// The client of the proxy, to whom `connection` writes.
struct ProxyClient: AnswerTaker {
    let connection: ProxyConnection
    let context: ChannelHandlerContext

    var isWritable: Bool { context.channel.isWritable }

    func begin(_ head: HTTPResponseHead, from original: HTTPResponseHead) {
        connection.answer(.head(head), context)
    }

    func add(_ bytes: ByteBuffer) { connection.answer(.body(.byteBuffer(bytes)), context) }
    func flush() { context.flush() }
    func end(keepAlive: Bool) { connection.endAnswer(keepAlive: keepAlive, context) }
    func refuse(_ refusal: Refusal) { connection.refuse(refusal, context) }
    func cutOff() { context.close(promise: nil) }
    func resumeRequest() { connection.resume(context) }
}
