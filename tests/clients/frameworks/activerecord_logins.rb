# Fifty logins at once through ActiveRecord, half of them inside a transaction. Prints how many failed, and one more if a
# taken id that the application chose does not fail as docs/frameworks/activerecord.md says.
require "active_record"
require_relative ENV.fetch("HOOK")

HOST, PORT, NAME, ROLE = ARGV
LOGINS = 50
ActiveRecord::Base.establish_connection(adapter: "postgresql", host: HOST, port: PORT, database: NAME, username: ROLE,
                                        pool: LOGINS + 1)

class UserSession < ActiveRecord::Base
  self.primary_key = "session_id"
end

UserSession.count
connected = Queue.new
start = Queue.new
logins = (0...LOGINS).map do |number|
  Thread.new do
    UserSession.connection.execute("SELECT 1")
    connected << number
    start.pop
    # As in a request, where the same SELECT is not sent twice.
    UserSession.cache do
      if number.odd?
        UserSession.transaction do
          UserSession.create!(user_id: number)
          UserSession.connection.execute("SELECT 1")
        end
      else
        UserSession.insert_all!([{ user_id: number }])
      end
    end
    0
  rescue StandardError => e
    warn e.full_message
    1
  ensure
    ActiveRecord::Base.clear_active_connections!
  end
end
LOGINS.times { connected.pop }
LOGINS.times { |number| start << number }
failed = logins.sum(&:value)

as_documented = begin
  UserSession.transaction do
    UserSession.create!(session_id: 2, user_id: 1)
  rescue ActiveRecord::RecordNotUnique => e
    # The hook's savepoint has kept the transaction.
    UserSession.connection.execute("SELECT 1")
    e.cause.result.error_field(PG::PG_DIAG_CONSTRAINT_NAME) == "user_sessions_pkey"
  end
end
warn "a taken id does not fail as documented" unless as_documented
puts failed + (as_documented ? 0 : 1)
