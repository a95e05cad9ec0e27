// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

// The order of the keys here is the order of the table of `plan` in docs/events.md.

extension Plan {
    /// Writes the fields of the object `plan`.
    func write(to writer: inout JSONWriter) {
        writer.key("steps")
        writer.array(steps) { writer, step in writer.object { step.write(to: &$0) } }
        writer.key("artifacts")
        writer.array(artifacts) { writer, rule in writer.object { rule.write(to: &$0) } }
        if let preview {
            writer.key("preview")
            writer.object { preview.write(to: &$0) }
        }
        if let root {
            writer.key("rootfs")
            writer.object {
                $0.field("name", root.name.rawValue)
                $0.field("digest", root.digest.rawValue)
            }
        }
        writer.key("limits")
        writer.object { policy.limits.write(to: &$0) }
        writer.field("minimum_level", policy.minimumLevel.rawValue)
        if !policy.network.isNone { writer.field("network", policy.network.rules.map(\.description)) }
        writer.field("clipped", clipped)
    }
}

extension PlannedStep {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("id", id.rawValue)
        writer.field("plugin", plugin.rawValue)
        writer.field("title", title)
        writer.key("with")
        writer.json(with)
        writer.field("needs", needs.map(\.rawValue))
        writer.field("network", (network ?? []).map(\.description))
        writer.field("profile", profile?.rawValue)
        writer.field("inputs", inputs.map(\.rawValue))
        writer.field("outputs", outputs.map(\.rawValue))
        writer.field("timeout_ms", timeout)
        writer.key("env")
        writer.texts(env)
        writer.field("weight", weight)
    }
}

extension ArtifactRule {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("path", path.rawValue)
        writer.field("role", role.rawValue)
        writer.field("title", title)
    }
}

extension PreviewRule {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("root", root?.rawValue)
        writer.field("spa", spa)
        writer.field("start", start)
    }
}

extension Limits {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.field("memory", memory)
        writer.field("processes", processes)
        writer.field("disk", disk)
        writer.field("file_size", fileSize)
        writer.field("open_files", openFiles)
        writer.field("cpus", cpus)
        writer.field("total_ms", total)
        writer.field("step_ms", step)
        writer.field("silence_ms", silence)
        writer.field("log", log)
        writer.field("network", network)
    }
}
