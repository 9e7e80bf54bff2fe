-- Which migrations were applied, and the text of each as its SHA-256.
CREATE TABLE IF NOT EXISTS {database:Identifier}.migrations
(
    number UInt32,
    name String,
    sha256 String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY number
