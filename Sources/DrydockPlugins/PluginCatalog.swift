// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockObservers
import DrydockSandbox

/// A plugin that can be used.
package struct Plugin: Hashable, Sendable {
    package var name: PluginName
    /// The two digits: lower ones come first.
    package var order: Int
    /// Its folder or file on the host: absolute, links resolved.
    package var path: String
    package var shape: PluginShape
    package var manifest: Manifest
    /// The directory's `lib` on the host, where there is one.
    package var library: String?
    /// Those that it brings, for its own commands.
    package var observers: [Observer] = []
    /// Of all its content and the library's.
    package var digest: Digest

    /// Its command inside a sandbox that `mounts` were added to.
    package var command: [String] {
        switch shape {
        case .folder(let files):
            manifest.exec.map { files.contains($0) ? "\(InsidePath.plugin)/\($0)" : $0 }
        case .file(let name): ["\(InsidePath.plugin)/\(name)"]
        }
    }

    /// The same plugin, taking every project that has a file for its own without being asked.
    package var wantingAll: Plugin {
        var plugin = self
        plugin.manifest.detect = DetectRule(files: ["*"], score: 100)
        plugin.manifest.verbs.remove(.detect)
        return plugin
    }
}

/// What a plugin is on disk.
package enum PluginShape: Hashable, Sendable {
    /// A folder; which elements of `exec` are files of it.
    case folder(files: Set<String>)
    /// A single file, by its name.
    case file(String)
}

/// Something in a plugin directory that is no plugin, and why.
package struct InvalidPlugin: Hashable, Sendable {
    package var path: String
    /// One sentence without a full stop: what is wrong, and what to do where that is not plain.
    package var reason: String
}

/// A plugin that is not used because another one of that name comes first.
package struct ShadowedPlugin: Hashable, Sendable {
    package var plugin: Plugin
    /// The path of the one that is used.
    package var by: String
}

/// The plugins there are: a value, so that a running build keeps those it started with.
package struct PluginCatalog: Hashable, Sendable {
    /// By order, then by name.
    package private(set) var plugins: [Plugin] = []
    package private(set) var invalid: [InvalidPlugin] = []
    package private(set) var shadowed: [ShadowedPlugin] = []
    /// Those of the directories; of two with one name the first.
    package private(set) var observers = ObserverCatalog()

    /// The plugin of that name.
    package subscript(name: PluginName) -> Plugin? { plugins.first { $0.name == name } }

    /// The observers for a plugin's commands: its own before all others.
    package func observers(of plugin: Plugin) -> ObserverCatalog {
        guard !plugin.observers.isEmpty else { return observers }
        var all = ObserverCatalog(plugin.observers)
        all.add(observers)
        return all
    }

    /// Reads plugin directories, the most important one first.
    ///
    /// Never throws: what can not be read is listed as invalid. Blocks; the plugins are read whole, for their digests.
    package static func load(directories: [String]) -> PluginCatalog {
        var catalog = PluginCatalog()
        for directory in directories {
            let found = PluginDirectory.read(directory)
            catalog.invalid += found.invalid
            for observer in found.observers { catalog.observers.add(observer) }
            for plugin in found.plugins.sorted(by: Self.comesFirst) {
                if let first = catalog[plugin.name] {
                    catalog.shadowed.append(ShadowedPlugin(plugin: plugin, by: first.path))
                } else {
                    catalog.plugins.append(plugin)
                }
            }
        }
        catalog.plugins.sort(by: Self.comesFirst)
        return catalog
    }

    /// The catalog with this plugin in the place of the one of its name, and of the others only those in `names`; nil = all.
    package func using(_ plugin: Plugin, beside names: Set<PluginName>? = nil) -> PluginCatalog {
        var catalog = self
        catalog.plugins = plugins.filter { $0.name != plugin.name && names?.contains($0.name) != false }
        catalog.plugins.append(plugin)
        catalog.plugins.sort(by: Self.comesFirst)
        return catalog
    }

    private static func comesFirst(_ left: Plugin, _ right: Plugin) -> Bool {
        (left.order, left.path) < (right.order, right.path)
    }
}
