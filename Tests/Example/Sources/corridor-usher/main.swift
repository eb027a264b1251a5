import Corridor
import Reception
import Usher

// The whole program of a third party: all commands of `usher`, and modules of its own beside the built-in ones.
await Usher.main(providers: Usher.builtIn + [CorridorProvider.self, ReceptionProvider.self])
