namespace Coordination.DistributedLock.Tests.Contract;

public sealed class InMemoryDistributedLockTests() : DistributedLockContract(new SharedInMemoryStore());

public sealed class InMemoryDistributedSemaphoreTests() : DistributedSemaphoreContract(new SharedInMemoryStore());

public sealed class InMemoryDistributedReaderWriterLockTests() : DistributedReaderWriterLockContract(new SharedInMemoryStore());
