
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
})(lunr);
