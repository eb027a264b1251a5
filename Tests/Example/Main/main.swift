import CorridorExample
import Usher

// The whole program of a third party: all verbs of `usher`, and a module of its own beside the built-in ones.
await Usher.main(providers: Usher.builtIn + [CorridorProvider.self])
