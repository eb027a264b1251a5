import Hummingbird
import NIOCore

/// What a page does better with a script: buttons that copy, and the time in the zone of the machine that it is read on.
struct PageScript {
    static let path = "/page.js"

    func add(to router: Router<BasicRequestContext>) {
        router.get(RouterPath(Self.path)) { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/javascript; charset=utf-8", .cacheControl: "max-age=3600"],
                body: .init(byteBuffer: ByteBuffer(string: Self.text)))
        }
    }

    private static let text = """
        for (const code of document.querySelectorAll('code[data-copy]')) {
          const button = document.createElement('button');
          button.type = 'button'; button.className = 'copy'; button.textContent = 'Copy';
          button.setAttribute('aria-label', 'Copy ' + code.dataset.copy);
          button.onclick = async () => {
            try { await navigator.clipboard.writeText(code.textContent); button.textContent = 'Copied'; }
            catch { getSelection().selectAllChildren(code); }
          };
          code.after(' ', button);
        }
        for (const zone of document.querySelectorAll('[data-start]')) {
          const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
          if (!here || here === zone.dataset.zone) continue;
          const show = new Intl.DateTimeFormat(undefined, {dateStyle: 'full', timeStyle: 'short'});
          const line = document.createElement('p');
          line.className = 'quiet';
          line.textContent = show.formatRange(new Date(zone.dataset.start), new Date(zone.dataset.end)) + ' where you are (' + here + ')';
          zone.after(line);
        }
        """
}
