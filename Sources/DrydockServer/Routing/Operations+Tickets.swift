// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

extension Operations {
    /// What opens `/ws` and streams of events where only an address can say who asks.
    var tickets: [Operation] {
        let tickets = TicketsAPI(store: store, gate: gate)
        return [
            Operation(
                method: .post,
                path: "/api/v1/tickets",
                id: "createTicket",
                summary: "What opens a session or a build once, within 30 seconds, by an address alone",
                admission: .tokenHolders(.read),
                body: Operation.Body(
                    most: TicketsAPI.longestOrder,
                    content: ["application/json": Schema.named("TicketOrder")]
                ),
                answers: [
                    .json(201, "Ticket", "Goes behind `?ticket=`"),
                    .problem(400, "order_invalid, session_id_invalid"),
                    .problem(404, "not_found: no such build"), .problem(429, "too_many_tickets"),
                ]
            ) { request, context in try await tickets.create(request, as: try context.requestedChange()) }
        ]
    }
}
