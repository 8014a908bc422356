
/* Whoever types «entropia» looks for «entropía»: each word is also found without its accents. */
(lunr => {
  const pack = lunr["LANGUAGE"];
  const fold = token => {
    const bare = token.toString().normalize("NFD").replace(/\p{M}/gu, "");
    return bare === token.toString() ? token : [token, token.clone(() => bare)];
  };
  lunr.Pipeline.registerFunction(fold, "fold-LANGUAGE");
  lunr["LANGUAGE"] = Object.assign(function () {
    pack.call(this);
    this.pipeline.before(pack.stemmer, fold);
  }, pack);
  // The theme asks this one which words of a query it need not call missing.
  const { stopWordFilter } = lunr;
  lunr.stopWordFilter = Object.assign(token => stopWordFilter(token) && pack.stopWordFilter(token), stopWordFilter);
  // The beginning of a word finds it twice, with accents and without; marked twice, a short one would come apart.
  const { search } = lunr.Index.prototype;
  lunr.Index.prototype.search = function (query) {
    // Else «de» would be looked for as the beginning of a word: «demás», «debajo».
    const telling = query.split(" ").filter(term => pack.stopWordFilter(term.replace(/\*$/, "")));
    const found = search.call(this, telling.length ? telling.join(" ") : query);
    for (const { matchData } of found) {
      const seen = {};
      for (const match of Object.values(matchData.metadata))
        for (const [field, one] of Object.entries(match)) {
          const known = (seen[field] ??= new Set());
          // Not within: what is found is the index itself.
          match[field] = { ...one, position: one.position.filter(place => !known.has(place) && known.add(place)) };
        }
    }
    return found;
  };
})(lunr);
