// How the search orders what it finds: the book first, the package's names last.
var Scorer = {
  objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
  title: 15, partialTitle: 1, term: 5, partialTerm: 1, // part of a word is seldom what was meant: "roug" in "through"
  score: (result) => {
    const [page, title, anchor, , score, , kind] = result;
    const wanted = (new URLSearchParams(location.search).get("q") ?? "").trim();
    const bare = wanted.toLowerCase().replace(/[^a-z0-9 ]/g, "");
    if (page === "GLOSSARY" && anchor) {
      const term = anchor.replace("#term-", "").replaceAll("-", " ");
      if (/^\d+$/.test(term)) return bare ? score - 500 : score; // a Chinese term; BM25 is one, too
      result[1] = `Glossary: ${term}`;
      return kind === "index" ? score + 20 : score;
    }
    if (page.startsWith("api/")) // unless it is a name of the package that was typed, as it is written
      return kind === "object" && /[A-Z].*[a-z]|_/.test(wanted) && title.split(".").pop() === wanted ? 500 : score - 1000;
    const about = bare && title.toLowerCase().includes(bare) && !title.includes(" > ");
    if (page.startsWith("chapters/")) return score + (about ? (kind === "title" ? 100 : 20) : 12);
    if (/^site\/(run|own_data)/.test(page)) return score + (/\b(install|download|[ct]sv|own|hugging|checkpoint)/.test(bare) ? 40 : 0);
    return /^(CHANGELOG|TEACHING|site\/errata)/.test(page) ? score - 100 : score;
  },
};
