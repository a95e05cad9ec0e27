// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@Suite("Spelling")
struct SpellingTests {
    @Test(
        "the nearest candidate is what was meant",
        arguments: [
            ("setps", "steps"), ("artefacts", "artifacts"), ("memmory", "memory"), ("Limits", "limits"),
        ]
    )
    func nearest(word: String, meant: String) {
        let keys = ["version", "steps", "artifacts", "preview", "limits", "memory"]
        #expect(Spelling.nearest(word, in: keys) == meant)
    }

    @Test("nothing is suggested for a word that is near none", arguments: ["x", "colour", "", "versatility"])
    func none(word: String) {
        #expect(Spelling.nearest(word, in: ["version", "steps", "limits"]) == nil)
    }
}
