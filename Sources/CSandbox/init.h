// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
#ifndef SBX_INIT_INTERNAL_H
#define SBX_INIT_INTERNAL_H

/// The descriptors of the init, and there are no others: the pipes of the program must be closed when the program closes
/// them.
enum sbx_init_descriptor {
    /// Packets from and to the parent.
    SBX_INIT_CONTROL = 0,
    /// A signalfd of SIGCHLD.
    SBX_INIT_SIGNALS = 1,
    /// Calls of the step that are to be answered; not there where nothing is observed.
    SBX_INIT_LISTENER = 2,
    /// /proc.
    SBX_INIT_PROCESSES = 3,
};

#endif
