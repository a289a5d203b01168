using System.Text.Json.Serialization;

namespace Coordination.PostgreSql.Transactions;

/// <summary>Reads and writes documents with no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(LockDocument))]
internal sealed partial class LockDocumentJson : JsonSerializerContext;
