# ActiveRecord's own repair, over all tables, as an application would call it. The connection comes from PG… variables.
require "active_record"

ActiveRecord::Base.establish_connection(adapter: "postgresql")
connection = ActiveRecord::Base.connection
connection.tables.each { |table| connection.reset_pk_sequence!(table) }
