import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.util.PSQLException;

/**
 * Fifty logins at once through JDBC, half of them inside a transaction. Prints how many failed, and one more if a taken id
 * that the application chose does not fail as docs/frameworks/jdbc.md says.
 */
public final class JdbcLogins {
    private static final int LOGINS = 50;
    private static final CyclicBarrier START = new CyclicBarrier(LOGINS);

    public static void main(String[] arguments) throws Exception {
        String url = "jdbc:postgresql://" + arguments[0] + ":" + arguments[1] + "/" + arguments[2] + "?user=" + arguments[3];
        var pool = Executors.newFixedThreadPool(LOGINS);
        var logins = new ArrayList<Future<Integer>>();
        for (int number = 0; number < LOGINS; number++) {
            int user = number;
            logins.add(pool.submit(() -> logIn(url, user)));
        }
        int failed = 0;
        for (var login : logins) failed += login.get();
        pool.shutdown();
        boolean isAsDocumented = takenIdFails(url);
        if (!isAsDocumented) System.err.println("a taken id does not fail as documented");
        System.out.println(failed + (isAsDocumented ? 0 : 1));
    }

    private static int logIn(String url, int number) throws Exception {
        try (Connection connection = DriverManager.getConnection(url)) {
            START.await();
            connection.setAutoCommit(number % 2 == 0);
            RepairingInsert.run(connection, c -> insert(c, "INSERT INTO user_sessions (user_id) VALUES (?)", number));
            if (number % 2 != 0) connection.commit();
            return 0;
        } catch (SQLException error) {
            error.printStackTrace();
            return 1;
        }
    }

    private static boolean takenIdFails(String url) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            connection.setAutoCommit(false);
            RepairingInsert.run(connection, c -> insert(c, "INSERT INTO user_sessions VALUES (2, ?)", 1));
            return false;
        } catch (PSQLException error) {
            for (Throwable refusal : error.getSuppressed()) System.err.println(refusal.getMessage());
            return "user_sessions_pkey".equals(error.getServerErrorMessage().getConstraint());
        }
    }

    private static int insert(Connection connection, String insert, int user) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            statement.setInt(1, user);
            return statement.executeUpdate();
        }
    }
}
