/// The languages that readers may choose, by ISO 639-1 code.
public enum Language {
    public static let all = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "uk", "ja", "ar"]
}
