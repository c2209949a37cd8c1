smoke_spark() { :; }
smoke_dev() { :; }
