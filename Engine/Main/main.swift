import Usher

await Usher.main()
