import Hummingbird
import NIOCore

/// `/embed.js`: shows a booking page inside of another site's page, as high as it is.
///
///     <div data-usher="/book/first-visit"></div><script src="https://meet.northwind.example/embed.js" async></script>
struct EmbedScript {
    let publicURL: String

    func add(to router: Router<WebContext>) {
        router.get("/embed.js") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/javascript; charset=utf-8", .cacheControl: "max-age=3600"],
                body: .init(byteBuffer: ByteBuffer(string: text)))
        }
    }

    /// What stands in the address of the embedding page goes on, so that links may fill the form in.
    private var text: String {
        """
        (() => {
          const home = new URL(document.currentScript ? document.currentScript.src : '\(publicURL)').origin;
          for (const place of document.querySelectorAll('[data-usher]')) {
            const address = new URL(place.dataset.usher, home);
            if (address.origin !== home) continue;
            const fills = /^(name|email|note|timeZone|duration|language|q-.*)$/;
            for (const [name, value] of new URLSearchParams(location.search)) {
              if (fills.test(name) && !address.searchParams.has(name)) address.searchParams.set(name, value);
            }
            address.searchParams.set('embed', '1');
            const frame = document.createElement('iframe');
            frame.src = address.href; frame.title = place.dataset.title || 'Booking';
            frame.style.cssText = 'border:0;width:100%;min-height:30rem';
            place.replaceChildren(frame);
            addEventListener('message', (event) => {
              if (event.origin === home && event.source === frame.contentWindow && Number.isFinite(event.data.usherHeight)) {
                frame.style.height = event.data.usherHeight + 'px';
              }
            });
          }
        })();
        """
    }
}
