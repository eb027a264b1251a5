import Foundation

/// Wakes a thread that waits for a descriptor.
final class Bell: Sendable {
    /// Can be read once somebody has rung.
    let descriptor: Int32
    private let far: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        // Where no descriptor is left, nobody is woken, and waits end by themselves.
        _ = pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (descriptor, far) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(far)
    }

    func ring() {
        var byte: UInt8 = 1
        _ = write(far, &byte, 1)
    }

    func silence() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
    }
}
